import type { WorldSpec } from '../../package/model-json.ts';
import { OutOfGpuMemoryError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import { type Lease, StateBank } from './state-bank.ts';
import type { MergedPlans } from './world-plans.ts';

/**
 * Places for the states of all rollouts. Rollouts share a bank as far as the device's memory goes, so that one pass can go
 * over them: a bank has one slot, then two, four, at most as many as a pass can make. Call nothing here while a pass is
 * under way.
 */
export class StatePool {
  readonly #gpu: Gpu;
  readonly #spec: WorldSpec;
  readonly #merged: MergedPlans;
  readonly #kept: 'f16' | 'f32';
  #banks: StateBank[] = [];

  /** @param kept what keys and values are kept as */
  constructor(gpu: Gpu, spec: WorldSpec, merged: MergedPlans, kept: 'f16' | 'f32') {
    this.#gpu = gpu;
    this.#spec = spec;
    this.#merged = merged;
    this.#kept = kept;
  }

  /**
   * A slot with a state of zeros.
   * @throws OutOfGpuMemoryError when there is none even for a bank of its own, DeviceLostError
   */
  async rent(): Promise<Lease> {
    for (const bank of this.#banks) {
      const lease = bank.rent();
      if (lease) return lease;
    }
    const bank = (await this.#grown()) ?? (await this.#create(1));
    this.#banks.push(bank);
    return bank.rent()!;
  }

  /** Gives a slot back; the memory of a bank that nobody uses goes. */
  free(lease: Lease): void {
    const { bank } = lease;
    if (!bank.free(lease)) return;
    bank.destroy();
    this.#banks = this.#banks.filter((other) => other !== bank);
  }

  destroy(): void {
    for (const bank of this.#banks) bank.destroy();
    this.#banks = [];
  }

  /** Puts a bank of twice the size in the place of one that can grow; null when none can. */
  async #grown(): Promise<StateBank | null> {
    const bank = this.#banks.find(({ capacity, full }) => capacity < this.#merged.most && !full);
    if (!bank) return null;
    let larger: StateBank;
    try {
      larger = await this.#create(Math.min(2 * bank.capacity, this.#merged.most));
    } catch (error) {
      if (!(error instanceof OutOfGpuMemoryError)) throw error;
      // Its rollouts go on in passes of their own.
      bank.full = true;
      return null;
    }
    larger.takeOver(bank);
    this.#banks = this.#banks.filter((other) => other !== bank);
    return larger;
  }

  #create(capacity: number): Promise<StateBank> {
    return StateBank.create(this.#gpu, this.#spec, this.#merged, this.#kept, capacity);
  }
}
