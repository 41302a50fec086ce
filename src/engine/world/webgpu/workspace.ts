/** When a work tensor is written first and read last, as places in the list of operations, and its size. */
export interface Lifetime {
  name: string;
  bytes: number;
  first: number;
  last: number;
}

/** Which of the shared buffers each tensor lies in, and how large these must be (largest first). */
export interface Workspace {
  slots: ReadonlyMap<string, number>;
  sizes: number[];
}

/**
 * Shares buffers between tensors that are never alive together (greedy, largest first). A tensor is alive in its first
 * and its last operation, so the tensors that one operation touches never share a buffer.
 */
export function shareBuffers(tensors: readonly Lifetime[]): Workspace {
  const slots = new Map<string, number>();
  const occupants: Lifetime[][] = [];
  const largestFirst = [...tensors].sort((a, b) => b.bytes - a.bytes);
  for (const tensor of largestFirst) {
    let slot = occupants.findIndex((others) =>
      others.every((other) => other.last < tensor.first || other.first > tensor.last),
    );
    if (slot < 0) slot = occupants.push([]) - 1;
    occupants[slot]!.push(tensor);
    slots.set(tensor.name, slot);
  }
  return { slots, sizes: occupants.map((others) => others[0]!.bytes) };
}

/** Sizes that serve several workspaces which are never in use together. */
export function commonSizes(workspaces: readonly Workspace[]): number[] {
  const sizes: number[] = [];
  for (const workspace of workspaces) {
    workspace.sizes.forEach((bytes, slot) => {
      sizes[slot] = Math.max(sizes[slot] ?? 0, bytes);
    });
  }
  return sizes;
}
