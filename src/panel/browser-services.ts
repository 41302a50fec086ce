import { isSoftware } from '../engine/world/webgpu/software-adapter.ts';
import { MemoryClipStore, type ClipStore } from './clips/clip-store.ts';
import { OpfsClipStore } from './clips/opfs-clip-store.ts';
import { WorkerMedia } from './encode/worker-media.ts';
import type { HostAdapter, KeyValueStore } from './hosts/host-adapter.ts';
import type { PanelServices } from './services.ts';
import { parseCameraTrack } from '../engine/camera/camera-json.ts';
import { WorkerEngine } from './worker-engine.ts';

/** The panel's services in a browser: engine in a worker, clips in the origin's private file system. */
export async function browserServices(host: HostAdapter): Promise<PanelServices> {
  return {
    engine: new WorkerEngine(),
    media: new WorkerMedia(),
    clips: await openClips(),
    values: host.storage ?? localValues(),
    graphicsDevice,
    parseCameraTrack,
  };
}

async function openClips(): Promise<ClipStore> {
  try {
    return await OpfsClipStore.open();
  } catch {
    return new MemoryClipStore();
  }
}

/** As the engine decides: a software adapter counts as none, because the processor backend is faster. */
async function graphicsDevice(): Promise<string | null> {
  if (!('gpu' in navigator)) return null;
  const adapter = await navigator.gpu
    .requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null);
  if (!adapter || isSoftware(adapter)) return null;
  const { vendor, architecture, device, description } = adapter.info;
  return [vendor, architecture, device, description].filter((part) => part !== '').join(' ');
}

function localValues(): KeyValueStore {
  return {
    get: async (key) => {
      const text = localStorage.getItem(key);
      try {
        return text === null ? undefined : (JSON.parse(text) as unknown);
      } catch {
        return undefined;
      }
    },
    set: async (key, value) => localStorage.setItem(key, JSON.stringify(value)),
    remove: async (key) => localStorage.removeItem(key),
  };
}
