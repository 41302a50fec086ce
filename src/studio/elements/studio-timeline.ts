import { html, nothing } from 'lit';
import { customElement, query, queryAll, state as internal } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { map, Subscription } from 'rxjs';
import type { Command } from '../commands/command.ts';
import { clipMenu, commands, gapMenu } from '../commands/commands.ts';
import { shownProject } from '../store/state.ts';
import type { Track } from '../timeline/project.ts';
import { allClips, clipEnd, gapsOf, projectLength } from '../timeline/project.ts';
import { timecode } from '../timeline/timecode.ts';
import { gapBox, stretchBox, trimNote } from './between-clips.ts';
import { LEAD_IN, frameToPixel, pixelToFrame, scrollToShow } from './geometry.ts';
import { clipBox } from './clip-box.ts';
import { clipOf, gapOf } from './clip-hit.ts';
import { commandEntry, openMenu } from './menu.ts';
import type { StudioClip } from './studio-clip.ts';
import { StudioPart } from './studio-part.ts';
import { timelineStyles } from './studio-timeline.css.ts';
import { TimelineGestures } from './timeline-gestures.ts';
import './timeline-ruler.ts';
import { timelineTools } from './timeline-tools.ts';

/** Tracks, clips, playhead and ruler, with what mouse, keys and menus do on them, and the tools above them. */
@customElement('studio-timeline')
export class StudioTimeline extends StudioPart {
  static override styles = timelineStyles;

  @query('.scroller') private readonly scroller!: HTMLElement;
  @query('.content') private readonly content!: HTMLElement;
  @queryAll('studio-clip') private readonly clipElements!: NodeListOf<StudioClip>;
  @internal() private left = 0;
  @internal() private width = 0;
  private readonly pictures = new Map<string, number>();
  private readonly connections = new Subscription();
  private readonly resize = new ResizeObserver(() => this.resized());
  private gestures!: TimelineGestures;
  private shownPlayhead = -1;
  private fittedLength = 0;
  /** Zoom that `fit` chose; while it lasts, the timeline follows the window's width. */
  private fittedZoom = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.gestures = new TimelineGestures(this.studio.store, (clientX) => this.frameAt(clientX));
    this.connections.add(
      this.studio.thumbnails.arrived$.subscribe((mediaId) => {
        this.pictures.set(mediaId, (this.pictures.get(mediaId) ?? 0) + 1);
        this.requestUpdate();
      }),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.connections.unsubscribe();
    this.resize.disconnect();
  }

  /** Takes a drag under way back. @returns whether there was one */
  cancelDrag(): boolean {
    return this.gestures.cancel();
  }

  /** Sets the zoom so that the whole project is in sight. */
  fit(): void {
    const length = projectLength(shownProject(this.state));
    if (length === 0 || this.width === 0) return;
    const room = this.width - LEAD_IN - 60;
    this.studio.store.dispatch({ type: 'zoom', pixelsPerFrame: Math.min(16, room / length) });
    this.fittedZoom = this.state.pixelsPerFrame;
    this.scroller.scrollLeft = 0;
  }

  /** Gives the focus to a clip, for example after a menu on it has closed. */
  focusClip(clipId: string): void {
    this.elementOf(clipId)?.focus();
  }

  /** Opens the menu of the focused or selected clip, as the context-menu key does. */
  openMenuByKey(): boolean {
    const focused = this.shadowRoot!.activeElement;
    const gap = focused instanceof HTMLElement ? focused.dataset['gap'] : undefined;
    if (gap !== undefined) {
      this.enterGap(Number(gap));
      void this.openMenuAt(gapMenu, 'Gap', this.menuPlace(focused!));
      return true;
    }
    const id =
      focused instanceof HTMLElement && focused.localName === 'studio-clip'
        ? (focused as StudioClip).clip.id
        : [...this.state.selection][0];
    const element = id ? this.elementOf(id) : null;
    if (!element) return false;
    void this.openClipMenu(id!, this.menuPlace(element));
    return true;
  }

  /** Where a menu of something on a track opens: on it, and in sight. */
  private menuPlace(element: Element): { x: number; y: number } {
    const box = element.getBoundingClientRect();
    const view = this.scroller.getBoundingClientRect();
    return { x: Math.min(view.right - 40, Math.max(view.left, box.left) + 24), y: box.top + 30 };
  }

  protected override firstUpdated(): void {
    this.resize.observe(this.scroller);
    this.scroller.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
  }

  protected override render() {
    const project = shownProject(this.state);
    const { pixelsPerFrame, playhead, theme, guide } = this.state;
    const rate = project.format?.rate ?? { num: 24, den: 1 };
    const length = projectLength(project);
    const contentWidth = Math.max(this.width, frameToPixel(length, pixelsPerFrame) + this.width * 0.4);
    const x = frameToPixel(playhead, pixelsPerFrame);
    return html`
      ${timelineTools(this.studio, {
        zoom: (to) => this.zoomTo(to, frameToPixel(playhead, pixelsPerFrame) - this.left),
        fit: () => this.fit(),
      })}
      <div class="area">
        <div class="headers" aria-hidden="true">
          ${[...project.tracks].reverse().map((track) => html`<span>${track.name}</span>`)}
        </div>
        <div class="scroller" @scroll=${() => (this.left = this.scroller.scrollLeft)}>
          <div class="content" style="inline-size: ${contentWidth}px">
            <timeline-ruler
              .rate=${rate}
              .pixelsPerFrame=${pixelsPerFrame}
              .left=${this.left}
              .width=${this.width}
              .theme=${theme}
              style="inline-size: ${this.width}px"
              @pointerdown=${this.pressTime}
              @pointermove=${(event: PointerEvent) => this.gestures.move(event)}
              @pointerup=${(event: PointerEvent) => this.gestures.release(event)}
            ></timeline-ruler>
            ${[...project.tracks].reverse().map((track) => this.renderTrack(track))}
            ${
              guide === null
                ? nothing
                : html`<div
                    class="guide"
                    style="inset-inline-start: ${frameToPixel(guide, pixelsPerFrame)}px"
                  ></div>`
            }
            <div
              class="playhead"
              role="slider"
              tabindex="0"
              aria-label="Playhead"
              aria-orientation="horizontal"
              aria-valuemin="0"
              aria-valuemax=${Math.max(0, length - 1)}
              aria-valuenow=${playhead}
              aria-valuetext="${timecode(playhead, rate)}, frame ${playhead}"
              style="inset-inline-start: ${x}px; --frame: ${Math.max(1, pixelsPerFrame)}px"
            ></div>
          </div>
        </div>
      </div>
    `;
  }

  protected override updated(): void {
    this.keepPlayheadInSight();
    this.askForThumbnails();
  }

  private resized(): void {
    this.width = this.scroller.clientWidth;
    if (this.fittedZoom === this.state.pixelsPerFrame) this.fit();
  }

  private renderTrack(track: Track) {
    const some = track.clips.length > 0;
    const view = { from: this.left, to: this.left + this.width, tabStop: this.tabStop() };
    return html`<div
      class="lane"
      role=${some ? 'listbox' : nothing}
      aria-label=${some ? `Clips on track ${track.name}` : nothing}
      aria-orientation=${some ? 'horizontal' : nothing}
      aria-multiselectable=${some ? 'true' : nothing}
      @pointerdown=${this.pressLane}
      @pointermove=${(event: PointerEvent) => this.gestures.move(event)}
      @pointerup=${(event: PointerEvent) => this.gestures.release(event)}
      @pointercancel=${() => this.gestures.cancel()}
      @contextmenu=${this.contextMenu}
      @focusin=${this.focusIn}
      @keydown=${this.laneKey}
    >
      ${repeat(
        track.clips,
        (clip) => clip.id,
        (clip) => clipBox(clip, this.studio, { ...view, pictures: this.pictures.get(clip.mediaId) ?? 0 }),
      )}
      ${gapsOf(track).map((gap) => gapBox(gap, this.state))} ${stretchBox(track, this.state)}
      ${trimNote(track, this.state, view)}
    </div>`;
  }

  /** The clip that Tab reaches: the selected one, or the first. */
  private tabStop(): string | undefined {
    const [selected] = this.state.selection;
    return selected ?? allClips(shownProject(this.state))[0]?.id;
  }

  private elementOf(clipId: string): StudioClip | null {
    return [...this.clipElements].find((element) => element.clip.id === clipId) ?? null;
  }

  private frameAt(clientX: number): number {
    const pixel = clientX - this.content.getBoundingClientRect().left;
    return pixelToFrame(pixel, this.state.pixelsPerFrame);
  }

  private readonly pressTime = (event: PointerEvent): void => {
    if (event.button === 0) this.gestures.pressTime(event);
  };

  private readonly pressLane = (event: PointerEvent): void => {
    const hit = clipOf(event);
    if (event.button !== 0) return;
    if (hit) {
      this.gestures.pressClip(event, hit.element.clip.id, hit.edge);
      hit.element.focus({ preventScroll: true });
      return;
    }
    this.studio.store.dispatch({ type: 'select', clipIds: [] });
    this.gestures.pressTime(event);
  };

  private readonly contextMenu = (event: MouseEvent): void => {
    const hit = clipOf(event);
    const gap = gapOf(event);
    if (gap) {
      event.preventDefault();
      gap.element.focus({ preventScroll: true });
      this.enterGap(gap.start);
      void this.openMenuAt(gapMenu, 'Gap', { x: event.clientX, y: event.clientY });
    }
    if (!hit) return;
    event.preventDefault();
    const { id } = hit.element.clip;
    if (!this.state.selection.has(id)) this.studio.store.dispatch({ type: 'select', clipIds: [id] });
    hit.element.focus({ preventScroll: true });
    void this.openClipMenu(id, { x: event.clientX, y: event.clientY });
  };

  private async openClipMenu(clipId: string, at: { x: number; y: number }): Promise<void> {
    if (!this.state.selection.has(clipId)) this.studio.store.dispatch({ type: 'select', clipIds: [clipId] });
    await this.openMenuAt(clipMenu, 'Clip', at);
  }

  private async openMenuAt(
    menu: readonly (readonly Command[])[],
    label: string,
    at: { x: number; y: number },
  ): Promise<void> {
    const groups$ = this.studio.store.state$.pipe(
      map(() => menu.map((group) => group.map((command) => commandEntry(command, this.studio)))),
    );
    await openMenu(groups$, label, at, this.shadowRoot!);
  }

  /** Makes the gap that begins at a frame the one that commands apply to. */
  private enterGap(start: number): void {
    this.studio.store.dispatch({ type: 'select', clipIds: [] });
    this.studio.store.dispatch({ type: 'seek', frame: start });
  }

  private readonly focusIn = (event: FocusEvent): void => {
    const hit = clipOf(event);
    const gap = gapOf(event);
    if (gap && !this.gestures.dragging) this.enterGap(gap.start);
    // A clip reached by Tab becomes the selected one; a press has decided that already.
    if (hit && !this.gestures.dragging && this.state.selection.size === 0) {
      this.studio.store.dispatch({ type: 'select', clipIds: [hit.element.clip.id] });
    }
  };

  /** Up and Down on a clip go to the neighbouring clip; Enter puts the playhead on its first frame. */
  private readonly laneKey = (event: KeyboardEvent): void => {
    const hit = clipOf(event);
    const gap = gapOf(event);
    if (gap && event.key === 'Enter') {
      event.preventDefault();
      event.stopPropagation();
      this.enterGap(gap.start);
      if (commands.fillGap.enabled(this.state)) commands.fillGap.run(this.studio);
      // The menu says why not.
      else void this.openMenuAt(gapMenu, 'Gap', this.menuPlace(gap.element));
    }
    if (!hit || event.ctrlKey || event.metaKey || event.altKey) return;
    const clips = allClips(shownProject(this.state));
    const index = clips.findIndex((clip) => clip.id === hit.element.clip.id);
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    const target = by !== 0 ? clips[index + by] : event.key === 'Enter' ? clips[index] : undefined;
    if (!target) return;
    event.preventDefault();
    event.stopPropagation();
    this.studio.store.dispatch({ type: 'select', clipIds: [target.id] });
    this.studio.store.dispatch({ type: 'seek', frame: target.start });
    void this.updateComplete.then(() => this.focusClip(target.id));
  };

  private wheel(event: WheelEvent): void {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const factor = 2 ** (-event.deltaY / 240);
      const x = event.clientX - this.scroller.getBoundingClientRect().left;
      this.zoomTo(this.state.pixelsPerFrame * factor, x);
    } else if (event.deltaX === 0 && !event.shiftKey) {
      event.preventDefault();
      this.scroller.scrollLeft += event.deltaY;
    }
  }

  /** Changes the zoom so that the frame at `x` pixels from the visible edge stays where it is. */
  private zoomTo(pixelsPerFrame: number, x: number): void {
    const frame = pixelToFrame(this.left + x, this.state.pixelsPerFrame);
    this.studio.store.dispatch({ type: 'zoom', pixelsPerFrame });
    void this.updateComplete.then(() => {
      this.scroller.scrollLeft = frameToPixel(frame, this.state.pixelsPerFrame) - x;
    });
  }

  private keepPlayheadInSight(): void {
    const { playhead, pixelsPerFrame } = this.state;
    const length = projectLength(shownProject(this.state));
    // The first clips of an empty project should fill the view without a search for the right zoom.
    if (this.fittedLength === 0 && length > 0 && this.width > 0) {
      this.fittedLength = length;
      void Promise.resolve().then(() => this.fit());
      return;
    }
    if (length === 0) this.fittedLength = 0;
    // What was made longer stays in sight as a whole while the editor has not chosen a zoom.
    const fitted = this.fittedZoom === pixelsPerFrame && !this.gestures.dragging;
    if (fitted && frameToPixel(length, pixelsPerFrame) > this.width)
      void Promise.resolve().then(() => this.fit());
    if (playhead === this.shownPlayhead || this.gestures.dragging) return;
    this.shownPlayhead = playhead;
    const target = scrollToShow(frameToPixel(playhead, pixelsPerFrame), this.scroller.scrollLeft, this.width);
    if (target !== null) this.scroller.scrollLeft = target;
  }

  private askForThumbnails(): void {
    void Promise.resolve().then(() => {
      const inSight = [...this.clipElements].filter(({ clip }) => {
        const { pixelsPerFrame } = this.state;
        const start = frameToPixel(clip.start, pixelsPerFrame);
        return start < this.left + this.width && frameToPixel(clipEnd(clip), pixelsPerFrame) > this.left;
      });
      this.studio.thumbnails.want(inSight.flatMap((element) => element.wishes));
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'studio-timeline': StudioTimeline;
  }
}
