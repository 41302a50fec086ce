import type { StudioStore } from '../store/store.ts';
import { projectOf } from '../store/state.ts';
import { projectLength } from '../timeline/project.ts';

/** Moves the playhead while the shuttle runs, by the clock: slow decoding drops pictures, never time. */
export class Transport {
  private readonly subscription;
  private frameRequest = 0;
  private origin: { time: number; frame: number; speed: number } | null = null;

  constructor(private readonly store: StudioStore) {
    this.subscription = store.select((state) => state.shuttle).subscribe((speed) => this.change(speed));
  }

  dispose(): void {
    this.subscription.unsubscribe();
    cancelAnimationFrame(this.frameRequest);
  }

  private change(speed: number): void {
    cancelAnimationFrame(this.frameRequest);
    this.origin = null;
    if (speed === 0) return;
    const { playhead } = this.store.state;
    const length = projectLength(projectOf(this.store.state));
    // Play at the end starts over, as every player does.
    const from = speed > 0 && playhead >= length - 1 ? 0 : playhead;
    this.origin = { time: performance.now(), frame: from, speed };
    this.frameRequest = requestAnimationFrame(this.tick);
  }

  private readonly tick = (): void => {
    const { origin } = this;
    const project = projectOf(this.store.state);
    if (!origin || !project.format) return;
    const { num, den } = project.format.rate;
    const elapsed = (performance.now() - origin.time) / 1000;
    const frame = origin.frame + Math.floor((elapsed * num * origin.speed) / den);
    const last = projectLength(project) - 1;
    if (frame >= last || frame <= 0) {
      if ((origin.speed > 0 && frame >= last) || (origin.speed < 0 && frame <= 0)) {
        this.store.dispatch({ type: 'seek', frame: Math.max(0, Math.min(last, frame)) });
        return;
      }
    }
    this.store.dispatch({ type: 'seek', frame, keepPlaying: true });
    this.frameRequest = requestAnimationFrame(this.tick);
  };
}
