/** Where the command line reads and writes; tests bring their own. */
export interface Console {
  /** Standard output. */
  print(text: string): void;
  /** Standard error. */
  complain(text: string): void;
  /** Whether standard error is a terminal that can show a progress bar; its width in characters. */
  readonly terminalWidth: number | null;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
}
