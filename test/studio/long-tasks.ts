import type { Browser, Page } from 'playwright';

/** A task of the page's main thread, in milliseconds. */
export interface LongTask {
  /** By the clock, as the browser's own observer counts it. */
  duration: number;
  /** Of the processor: on a busy machine much less than by the clock. */
  computing: number;
  /** The longest parts, for messages. */
  parts: string;
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  tdur?: number;
  args?: { name?: string; data?: { functionName?: string; url?: string } };
}

/**
 * Runs something and lists the tasks of the page's main thread that kept the processor busy for over `limit` ms meanwhile.
 * Such a task is also over the limit by the clock; a task that only waited for a busy machine does not count.
 */
export async function longTasks(
  browser: Browser,
  page: Page,
  limit: number,
  work: () => Promise<void>,
): Promise<LongTask[]> {
  await browser.startTracing(page, {
    categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8.execute'],
  });
  let trace: Buffer;
  try {
    await work();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: TraceEvent[] };
  const thread = ({ pid, tid }: TraceEvent): string => `${pid}/${tid}`;
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(thread),
  );
  const events = traceEvents.filter((event) => event.ph === 'X' && main.has(thread(event)));
  const tasks = events.filter(({ name }) => name === 'RunTask');
  if (tasks.length === 0) throw new Error('The trace holds no task of the main thread.');
  return tasks
    .filter(({ tdur = 0 }) => tdur > limit * 1000)
    .map((task) => {
      const inside = events.filter(
        (event) =>
          event !== task &&
          thread(event) === thread(task) &&
          event.ts >= task.ts &&
          event.ts < task.ts + task.dur!,
      );
      const longest = [...inside].sort((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0)).slice(0, 6);
      return {
        duration: task.dur! / 1000,
        computing: task.tdur! / 1000,
        parts: longest
          .map(
            ({ name, tdur = 0, args }) =>
              `${name} ${args?.data?.functionName ?? ''} ${Math.round(tdur / 1000)}`,
          )
          .join(', '),
      };
    });
}
