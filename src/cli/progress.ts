import type { Console } from './console.ts';

/** Shows how far a job is: one line that moves on a terminal, a plain line now and then elsewhere. */
export class ProgressLine {
  private shown = '';
  private step = '';

  constructor(
    private readonly console: Console,
    private readonly quiet: boolean,
  ) {}

  /**
   * @param label what is being done
   * @param done of `total`, in any unit
   * @param secondsLeft remaining time where it is known
   * @param around how far the whole is that this job is a part of
   */
  update(label: string, done: number, total: number, secondsLeft?: number, around = ''): void {
    if (this.quiet) return;
    const fraction = total > 0 ? Math.min(1, done / total) : 0;
    const left = secondsLeft === undefined || done >= total ? '' : `, ${formatSeconds(secondsLeft)} left`;
    const width = this.console.terminalWidth;
    if (width === null) {
      // A log gets the beginning, every quarter and the end.
      const step = `${label} ${Math.floor(fraction * 4)}`;
      if (step === this.step) return;
      this.step = step;
      this.console.complain(`${label}: ${done} of ${total}${left}${around}\n`);
      return;
    }
    const text = ` ${String(Math.round(fraction * 100)).padStart(3)} %${left}${around}`;
    const room = Math.max(5, Math.min(30, width - label.length - text.length - 4));
    const full = Math.round(fraction * room);
    const line = `${label} ${'█'.repeat(full)}${'░'.repeat(room - full)}${text}`;
    if (line === this.shown) return;
    this.console.complain(`\r${line}\u001b[K`);
    this.shown = line;
  }

  /** Takes the bar away, so that other text can follow. */
  clear(): void {
    if (this.shown !== '') this.console.complain('\r\u001b[K');
    this.shown = '';
  }
}

/** `45 s`, `3 min 20 s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
