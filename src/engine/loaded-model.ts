import type { WorldPackage } from './package/world-package.ts';
import type { BackendName, WorldModel } from './world/world-model.ts';

/** A world-model package on a backend, ready for tasks. */
export interface LoadedModel {
  readonly package: WorldPackage;
  readonly world: WorldModel;
  /** The backend it runs on now; after a failure of the device it may be another one. */
  readonly backend: BackendName;
  dispose(): void;
}

/** Joins a package with the world model that a backend made of it. */
export function loadedModel(pkg: WorldPackage, world: WorldModel): LoadedModel {
  return {
    package: pkg,
    world,
    get backend() {
      return world.backend;
    },
    dispose: () => world.dispose(),
  };
}
