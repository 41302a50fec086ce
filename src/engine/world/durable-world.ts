import { LongtakeError } from '../types.ts';
import type {
  BackendName,
  Chunk,
  Generated,
  NoiseKey,
  WorldModel,
  WorldSession,
  WorldSnapshot,
} from './world-model.ts';

/** Chunks committed between two copies of the state: enough to make the copies cheap, few enough to keep and repeat. */
const CHUNKS_KEPT = 128;

/**
 * Makes the model anew after its device failed.
 * @param attempt 0 for the first try after a failure, then 1, 2 … while making it or what runs on it goes on failing
 * @returns null when there is nothing left to try
 * @throws LongtakeError `backend` when this try failed
 */
export type Rebuild = (attempt: number) => Promise<WorldModel | null>;

/**
 * A world model that outlives its device. When an operation fails because the machine did (device lost, out of memory, a
 * command refused), the model is made anew, every session's state is restored from its last copy, the chunks committed since
 * are committed again, and the operation is repeated: rollouts go on as if nothing had happened, where need be on another
 * backend. Fails with the first failure's error when `rebuild` has nothing left to try.
 */
export class DurableWorldModel implements WorldModel {
  readonly #rebuild: Rebuild;
  #inner: WorldModel;
  /** Grows with every model; tells sessions that theirs is gone. */
  #generation = 0;
  #rebuilding: Promise<void> | null = null;
  #disposed = false;

  constructor(inner: WorldModel, rebuild: Rebuild) {
    this.#inner = inner;
    this.#rebuild = rebuild;
  }

  get spec(): WorldModel['spec'] {
    return this.#inner.spec;
  }

  /** The backend that it runs on now. */
  get backend(): BackendName {
    return this.#inner.backend;
  }

  get generation(): number {
    return this.#generation;
  }

  async createSession(): Promise<WorldSession> {
    const session = new DurableSession(this);
    await session.open();
    return session;
  }

  /** A session of the present model. */
  openInner(): Promise<WorldSession> {
    return this.#inner.createSession();
  }

  dispose(): void {
    this.#disposed = true;
    this.#inner.dispose();
  }

  /**
   * Replaces the model that failed. Sessions that met the same failure share one replacement.
   * @param failed generation of the model that failed
   * @param attempt how many replacements the caller has seen fail
   * @returns false when there is nothing left to try
   */
  async replace(failed: number, attempt: number): Promise<boolean> {
    if (this.#disposed) return false;
    if (this.#generation !== failed) return true;
    this.#rebuilding ??= this.#make(attempt).finally(() => (this.#rebuilding = null));
    await this.#rebuilding;
    return this.#generation !== failed;
  }

  async #make(attempt: number): Promise<void> {
    this.#inner.dispose();
    for (let next = attempt; ; next++) {
      let made: WorldModel | null;
      try {
        made = await this.#rebuild(next);
      } catch (error) {
        if (isMachineFailure(error)) continue;
        throw error;
      }
      if (!made) return;
      if (this.#disposed) return made.dispose();
      this.#inner = made;
      this.#generation++;
      return;
    }
  }
}

/** A rollout's memory that is copied now and then, so that it can be brought back on another device. */
class DurableSession implements WorldSession {
  readonly #model: DurableWorldModel;
  #inner: WorldSession | null = null;
  #generation = -1;
  /** The state as last copied; null is the state at the very start. */
  #copy: WorldSnapshot | null = null;
  /** Chunks committed since the copy. */
  #since: Chunk[] = [];
  #disposed = false;

  constructor(model: DurableWorldModel) {
    this.#model = model;
  }

  get committed(): number {
    return (this.#copy?.committed ?? 0) + this.#since.length;
  }

  /** Opens the session on the present model, or on one made anew. */
  async open(): Promise<void> {
    await this.#durably(async () => undefined);
  }

  async commit(chunks: readonly Chunk[], signal?: AbortSignal): Promise<void> {
    await this.#durably((session) => session.commit(chunks, signal));
    await this.#keep(chunks);
  }

  /** Notes chunks that were committed. */
  async #keep(chunks: readonly Chunk[]): Promise<void> {
    this.#since.push(...chunks);
    if (this.#since.length >= CHUNKS_KEPT) await this.snapshot();
  }

  denoise(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    return this.#durably((session) => session.denoise(chunk, levels, noise, signal));
  }

  async generate(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Generated> {
    const made = await this.#durably(async (session) => ({
      ...(await session.generate(chunk, levels, noise, signal)),
      session,
    }));
    const finished = { ...chunk, latents: made.latents };
    // A machine that fails in the commit has left the latents whole: elsewhere only the commit is repeated.
    const committed = this.#durably((session) =>
      session === made.session ? made.committed : session.commit([finished], signal),
    ).then(() => this.#keep([finished]));
    committed.catch(() => undefined);
    return { latents: made.latents, committed };
  }

  settle(): Promise<void> {
    return this.#durably((session) => session.settle());
  }

  async snapshot(): Promise<WorldSnapshot> {
    this.#copy = await this.#durably((session) => session.snapshot());
    this.#since = [];
    return this.#copy;
  }

  async restore(snapshot: WorldSnapshot): Promise<void> {
    await this.#durably((session) => session.restore(snapshot));
    this.#copy = snapshot;
    this.#since = [];
  }

  dispose(): void {
    this.#disposed = true;
    this.#inner?.dispose();
  }

  /** Runs an operation, again on a model made anew where the machine failed. */
  async #durably<T>(operation: (session: WorldSession) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      let { generation } = this.#model;
      try {
        const session = await this.#session();
        generation = this.#generation;
        return await operation(session);
      } catch (error) {
        // A commit that was cut short, by Cancel too, has moved the state by an unknown number of chunks.
        this.#inner?.dispose();
        this.#inner = null;
        const over = this.#disposed || !isMachineFailure(error);
        if (over || !(await this.#model.replace(generation, attempt))) throw error;
      }
    }
  }

  /** The session on the present model, with the state where it should be. */
  async #session(): Promise<WorldSession> {
    const { generation } = this.#model;
    if (this.#inner && this.#generation === generation) return this.#inner;
    const session = await this.#model.openInner();
    try {
      if (this.#copy) await session.restore(this.#copy);
      if (this.#since.length > 0) await session.commit(this.#since);
    } catch (error) {
      session.dispose();
      throw error;
    }
    if (this.#disposed) {
      session.dispose();
      throw new LongtakeError('internal', 'The rollout was closed.');
    }
    this.#inner = session;
    this.#generation = generation;
    return session;
  }
}

function isMachineFailure(error: unknown): boolean {
  return error instanceof LongtakeError && error.code === 'backend';
}
