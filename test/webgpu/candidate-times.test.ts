import { describe, expect, it } from 'vitest';
import { compareCandidates, fastestOf } from '../../src/engine/world/webgpu/candidate-times.ts';
import type { SpanTimer } from '../../src/engine/world/webgpu/span-timer.ts';

/** Microseconds of a use: work that the clock is for, and memory, which has a clock of its own. */
interface Kernel {
  work: number;
  memory?: number;
}

/** Speed, as a share of the highest, after so many milliseconds. */
type Clock = (milliseconds: number) => number;

/** What a card is at an idle clock. */
const IDLE = 0.2;

interface Flaws {
  /** Microseconds that timestamps are rounded to; 1 ns unless given. */
  step?: number;
  /** Share by which a span is longer or shorter at most; none unless given. */
  jitter?: number;
}

/** A card on which times depend on when they are taken. */
class Card {
  readonly #clock: Clock;
  readonly #step: number;
  readonly #jitter: number;
  /** Microseconds since the first use. */
  #at = 0;
  #spans = 0;

  constructor(clock: Clock, { step = 0.001, jitter = 0 }: Flaws = {}) {
    this.#clock = clock;
    this.#step = step;
    this.#jitter = jitter;
  }

  readonly now = (): number => this.#at / 1000;

  readonly time: SpanTimer<Kernel> = async (batches) => {
    // The processor reads what was measured before.
    this.#at += 400;
    return batches.map((spans) =>
      spans.map(({ candidate: { work, memory = 0 }, uses }) => {
        this.#at += 2;
        const start = this.#stamp();
        const longer = 1 + this.#jitter * Math.sin((++this.#spans) ** 2);
        for (let use = 0; use < uses; use++) this.#at += longer * (work / this.#clock(this.now()) + memory);
        return this.#stamp() - start;
      }),
    );
  };

  #stamp(): number {
    return this.#step * Math.floor(this.#at / this.#step);
  }
}

/** The default and others, with the fastest in the middle. */
const KERNELS: readonly Kernel[] = [10, 11, 12, 10.2, 9, 8, 9.5, 30, 14].map((work) => ({ work }));
const FASTEST = 4;

const clocks: Record<string, Clock> = {
  'at full speed': () => 1,
  'at an idle clock': () => IDLE,
  'rising slowly': (ms) => Math.min(1, IDLE + ms / 500),
  'falling slowly': (ms) => Math.max(IDLE, 1 - ms / 500),
};
for (let ms = 0; ms < 500; ms += 7) {
  clocks[`rising after ${ms} ms`] = (at) => (at < ms ? IDLE : 1);
  clocks[`falling after ${ms} ms`] = (at) => (at < ms ? 1 : IDLE);
}
for (let ms = 1; ms < 200; ms *= 1.07) {
  clocks[`switching every ${ms.toFixed(2)} ms`] = (at) => (Math.floor(at / ms) % 2 ? 1 : IDLE);
}

async function best(clock: Clock, kernels: readonly Kernel[], flaws?: Flaws): Promise<number | null> {
  const card = new Card(clock, flaws);
  const limits = { span: 200, budget: 500, now: card.now };
  const [comparison] = await compareCandidates(card.time, [kernels], limits);
  return fastestOf(comparison!);
}

/** How tiles were chosen before: 30 ms of warm-up, then the shortest of three rounds of absolute times. */
async function shortestTime(clock: Clock, kernels: readonly Kernel[]): Promise<number | null> {
  const card = new Card(clock);
  const measure = (): Promise<number[][]> =>
    card.time([kernels.map((candidate) => ({ candidate, uses: 8 }))]);
  do await measure();
  while (card.now() < 30);
  const shortest = kernels.map(() => Infinity);
  for (let round = 0; round < 3; round++) {
    const [times] = await measure();
    times!.forEach((time, i) => (shortest[i] = Math.min(shortest[i]!, time)));
  }
  const winner = shortest.indexOf(Math.min(...shortest));
  return winner === 0 ? null : winner - 1;
}

describe('comparing candidates on a card whose clock changes', () => {
  it('finds the fastest whatever the clock does meanwhile', async () => {
    const wrong: string[] = [];
    for (const [name, clock] of Object.entries(clocks)) {
      if ((await best(clock, KERNELS)) !== FASTEST) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });

  it('does what the shortest of absolute times does not', async () => {
    const wrong: string[] = [];
    for (const [name, clock] of Object.entries(clocks)) {
      if ((await shortestTime(clock, KERNELS)) !== FASTEST) wrong.push(name);
    }
    // A clock that rises in the last round makes whoever is timed last the fastest.
    expect(wrong).toContain('rising after 49 ms');
  });

  it('keeps the default where nothing is faster by more than noise', async () => {
    const alike = [10, 9.8, 10.1, 9.75, 10].map((work) => ({ work }));
    const wrong: string[] = [];
    for (const [name, clock] of Object.entries(clocks)) {
      if ((await best(clock, alike)) !== null) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });

  it('goes by what holds at the highest clock', async () => {
    // At an idle clock the second is the fastest, at full speed the first.
    const kernels = [
      { work: 10, memory: 10 },
      { work: 12, memory: 2 },
      { work: 6, memory: 16 },
    ];
    expect(await best(() => 1, kernels)).toBe(0);
    expect(await best(() => IDLE, kernels)).toBe(1);
    for (let ms = 0; ms < 350; ms += 10) {
      expect(await best((at) => (at < ms ? IDLE : 1), kernels), `rising after ${ms} ms`).toBe(0);
    }
  });

  it('is not misled by times that scatter', async () => {
    const alike = [10, 9.9, 10.1, 9.8, 10].map((work) => ({ work }));
    for (const jitter of [0.01, 0.02, 0.04]) {
      expect(await best(clocks['rising after 105 ms']!, KERNELS, { jitter }), `${jitter}`).toBe(FASTEST);
      expect(await best(clocks['rising after 105 ms']!, alike, { jitter }), `${jitter}`).toBeNull();
    }
  });

  it('sees through timestamps that are rounded, as browsers round them', async () => {
    for (const step of [65.536, 100]) {
      expect(await best(() => 1, KERNELS, { step }), `${step} µs`).toBe(FASTEST);
      expect(await best((at) => (at < 150 ? IDLE : 1), KERNELS, { step }), `${step} µs, rising`).toBe(
        FASTEST,
      );
    }
  });

  it('tells the time of the default at the settled clock, and shares of it', async () => {
    const card = new Card((ms) => (ms < 140 ? IDLE : 1));
    const limits = { span: 200, budget: 500, now: card.now };
    const [comparison] = await compareCandidates(card.time, [KERNELS], limits);
    expect(comparison!.microseconds).toBeCloseTo(10, 1);
    comparison!.standings.forEach(({ ratio, noise }, i) => {
      expect(ratio).toBeCloseTo(KERNELS[i + 1]!.work / 10, 1);
      expect(noise).toBeLessThan(0.01);
    });
  });

  it('judges 106 candidates, and one that has none beside it', async () => {
    const kernels = Array.from({ length: 107 }, (_, i) => ({ work: 8 + ((i * 37) % 107) / 10 }));
    const card = new Card(clocks['rising after 105 ms']!);
    const limits = { span: 200, budget: 1000, now: card.now };
    const compared = await compareCandidates(card.time, [kernels, [{ work: 5 }]], limits);
    const ratios = compared[0]!.standings.map(({ ratio }) => ratio);
    const expected = kernels.slice(1).map(({ work }) => work / 8);
    ratios.forEach((ratio, i) => expect(ratio).toBeCloseTo(expected[i]!, 1));
    expect(compared[1]!.standings).toEqual([]);
    expect(fastestOf(compared[1]!)).toBeNull();
    expect(card.now()).toBeLessThan(1200);
  });
});

describe('the time that comparing takes', () => {
  const groups = Array.from({ length: 30 }, (_, i) => KERNELS.map(({ work }) => ({ work: (30 - i) * work })));

  it('is about what it is given; what matters most is compared', async () => {
    const all: [string, Clock, limit: number][] = [
      ['at full speed', () => 1, 550],
      ['at an idle clock', () => IDLE, 650],
      ['falling', clocks['falling slowly']!, 650],
      // One round of the first alone takes 0.26 s.
      ['a slow card', () => 0.02, 1600],
    ];
    for (const [name, clock, limit] of all) {
      const card = new Card(clock);
      const limits = { span: 200, budget: 500, now: card.now };
      const compared = await compareCandidates(card.time, groups, limits);
      const found = compared.map((comparison) => comparison && fastestOf(comparison));
      const count = found.indexOf(null);
      expect(count, name).toBeGreaterThan(0);
      expect(new Set(found.slice(0, count)), name).toEqual(new Set([FASTEST]));
      expect(new Set(found.slice(count)), name).toEqual(new Set([null]));
      expect(card.now(), name).toBeLessThan(limit);
    }
  });

  it('ends on a device that never settles, and on one whose clock stands still', async () => {
    let uses = 0;
    const limits = { span: 200, budget: 500, now: () => 0 };
    const restless = new Card((ms) => 1 / (2 + Math.sin(ms / 3)));
    await compareCandidates(restless.time, [KERNELS], limits);
    const still: SpanTimer<Kernel> = async (batches) =>
      batches.map((spans) =>
        spans.map((span) => {
          uses += span.uses;
          return 0;
        }),
      );
    expect(await compareCandidates(still, [KERNELS, KERNELS], limits)).toEqual([null, null]);
    expect(uses).toBeLessThan(10_000);
  });

  it('is none where there is nothing to compare', async () => {
    const limits = { span: 200, budget: 500, now: () => 0 };
    expect(await compareCandidates<Kernel>(() => Promise.reject(new Error()), [], limits)).toEqual([]);
  });
});
