const PREFIX = 'longtake-rollout-';

/**
 * Marks a rollout as worked on, so that a second panel does not take it for one cut short. Never waits and never fails: a
 * frame without rights to its storage may not use locks, but nothing is kept there either.
 * @returns the release
 */
export async function holdRollout(id: string): Promise<() => void> {
  return new Promise((resolve) => {
    const unlocked = () => resolve(() => undefined);
    if (!navigator.locks) return unlocked();
    navigator.locks
      .request(PREFIX + id, { ifAvailable: true }, (lock) =>
        lock ? new Promise<void>((release) => resolve(release)) : unlocked(),
      )
      .catch(unlocked);
  });
}

/** Ids of the rollouts that some panel of this origin is working on. */
export async function liveRollouts(): Promise<Set<string>> {
  const held = await navigator.locks?.query().then(
    (locks) => locks.held ?? [],
    () => [],
  );
  return new Set(
    (held ?? [])
      .map((lock) => lock.name ?? '')
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => name.slice(PREFIX.length)),
  );
}
