/** Serves Studio on loopback; port 0 takes a free one. */
export function serveStudio(options?: {
  port?: number;
  /** Folder of the world-model package. */
  model?: string;
  /** Folder of the built page. */
  site?: string;
}): Promise<{ url: string; close(): Promise<void> }>;
