import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state as internal } from 'lit/decorators.js';
import { of, Subscription, switchMap } from 'rxjs';
import type { Direction, Profile } from '../../engine/tasks/extend-request.ts';
import { MAX_SECONDS } from '../../media/limits.ts';
import { PROFILES } from '../../engine/scheduler/profiles.ts';
import type { BatchJobState } from '../batch/batch-job.ts';
import type { BatchChoice } from '../batch/studio-batch.ts';
import { clipsForBatch } from '../batch/timeline-items.ts';
import { projectOf } from '../store/state.ts';
import type { Studio } from '../studio.ts';
import { batchDialogStyles } from './batch-dialog.css.ts';
import { focusRing } from './colours.css.ts';
import { openModal } from './modal.ts';

const MAX_VARIATIONS = 9;
const PROFILE_NAMES: readonly Profile[] = ['draft', 'preview', 'final'];
const DIRECTIONS: Record<Direction, string> = { forward: 'After each clip', backward: 'Before each clip' };

/** The dialog of Batch preview…: what to make, how far it is, what came out. The batch itself goes on without it. */
@customElement('batch-dialog')
export class BatchDialog extends LitElement {
  static override styles = [focusRing, batchDialogStyles];

  @property({ attribute: false }) studio!: Studio;
  @query('dialog') private readonly dialog!: HTMLDialogElement;
  @query('h2') private readonly heading!: HTMLElement;
  @internal() private job: BatchJobState | null = null;
  @internal() private choice: BatchChoice = {
    seconds: 2,
    profile: 'preview',
    direction: 'forward',
    seed: 0,
    variations: 1,
  };
  @internal() private toFolder = false;
  private readonly connections = new Subscription();

  override connectedCallback(): void {
    super.connectedCallback();
    const { view$ } = this.studio.batch;
    this.connections.add(view$.subscribe(() => this.requestUpdate()));
    this.connections.add(
      view$
        .pipe(switchMap(({ job }) => job?.state$ ?? of(null)))
        .subscribe((job: BatchJobState | null) => (this.job = job)),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.connections.unsubscribe();
  }

  protected override render() {
    const { open } = this.studio.batch.view$.value;
    return html`<dialog
      aria-labelledby="batch-title"
      @close=${() => this.studio.batch.close()}
      @cancel=${(event: Event) => event.stopPropagation()}
    >
      ${
        open
          ? html`<sp-dialog size="l" no-divider role="presentation">
              <h2 slot="heading" id="batch-title" tabindex="-1">Batch preview</h2>
              ${this.job ? this.renderJob(this.job) : this.renderChoice()}
            </sp-dialog>`
          : nothing
      }
    </dialog>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const { open } = this.studio.batch.view$.value;
    if (open && !this.dialog.open) {
      openModal(this.dialog, () => this.studio.batch.close());
      // The dialog element around it is the one that assistive technology is told of.
      const inner = this.dialog.querySelector('sp-dialog')!;
      void inner.updateComplete.then(() => {
        inner.setAttribute('role', 'presentation');
        this.heading.focus();
      });
    } else if (!open && this.dialog.open) {
      this.dialog.close();
    }
  }

  private renderChoice() {
    const { studio, choice } = this;
    const { chosen } = studio.batch.view$.value;
    const count = clipsForBatch(projectOf(studio.store.state), chosen).length;
    const clips = `${count} ${count === 1 ? 'clip' : 'clips'}`;
    const what = chosen.size > 0 ? `${clips} selected` : `All of the project: ${clips}`;
    const trained = studio.store.state.trainedFor;
    const noBackward = trained !== null && !trained.includes('backward');
    return html`<div class="stack" id="choice">
        <p>${what}. A preview of each, a contact sheet and a report are made on this computer.</p>
        <div class="pair">
          ${this.renderNumber('seconds', 'Length of each continuation', {
            ...{ min: 0.1, max: MAX_SECONDS, step: 0.1 },
            format: { style: 'unit', unit: 'second', maximumFractionDigits: 1 },
          })}
          ${this.renderNumber('variations', 'Variations of each', { min: 1, max: MAX_VARIATIONS, step: 1 })}
        </div>
        <div>
          <sp-field-label for="batch-profile">Quality</sp-field-label>
          <sp-radio-group
            id="batch-profile"
            label="Quality"
            horizontal
            name="batch-profile"
            .selected=${choice.profile}
            @change=${(event: Event) => this.choose('profile', chosenOf(event, PROFILE_NAMES))}
          >
            ${PROFILE_NAMES.map((name) => html`<sp-radio value=${name}>${PROFILES[name].title}</sp-radio>`)}
          </sp-radio-group>
          <p class="quiet">${PROFILES[choice.profile].description}</p>
        </div>
        <div>
          <sp-field-label for="batch-direction">New frames</sp-field-label>
          <sp-radio-group
            id="batch-direction"
            label="New frames"
            horizontal
            name="batch-direction"
            .selected=${choice.direction}
            @change=${(event: Event) => this.choose('direction', chosenOf(event, ['forward', 'backward']))}
          >
            <sp-radio value="forward">${DIRECTIONS.forward}</sp-radio>
            <sp-radio value="backward" ?disabled=${noBackward}>${DIRECTIONS.backward}</sp-radio>
          </sp-radio-group>
          ${noBackward ? html`<p class="quiet">The world model was not trained to go back before a clip.</p>` : nothing}
        </div>
        ${window.showDirectoryPicker ? this.renderTarget() : nothing}
      </div>
      <sp-button
        slot="button"
        variant="secondary"
        treatment="outline"
        @click=${() => this.studio.batch.close()}
        >Close</sp-button
      >
      <sp-button slot="button" variant="accent" @click=${() => void this.start()}>Make previews</sp-button>`;
  }

  private renderNumber(
    key: 'seconds' | 'variations',
    label: string,
    range: { min: number; max: number; step: number; format?: Intl.NumberFormatOptions },
  ) {
    const id = `batch-${key}`;
    return html`<div>
      <sp-field-label for=${id}>${label}</sp-field-label>
      <sp-number-field
        id=${id}
        label=${label}
        min=${range.min}
        max=${range.max}
        step=${range.step}
        .value=${this.choice[key]}
        .formatOptions=${range.format ?? {}}
        @change=${(event: Event) => {
          const { value } = event.target as HTMLElement & { value: number };
          if (Number.isFinite(value)) this.choose(key, value);
        }}
      ></sp-number-field>
    </div>`;
  }

  private renderTarget() {
    return html`<div>
      <sp-field-label for="batch-target">Save as</sp-field-label>
      <sp-radio-group
        id="batch-target"
        label="Save as"
        horizontal
        name="batch-target"
        .selected=${this.toFolder ? 'folder' : 'zip'}
        @change=${(event: Event) => (this.toFolder = chosenOf(event, ['zip', 'folder']) === 'folder')}
      >
        <sp-radio value="zip">A zip file</sp-radio>
        <sp-radio value="folder">Files in a folder…</sp-radio>
      </sp-radio-group>
    </div>`;
  }

  private renderJob(job: BatchJobState) {
    const running = job.status === 'running' || job.status === 'saving';
    const percent = Math.floor(100 * job.fraction);
    const left = job.secondsLeft === null ? '' : `, ${timeLeft(job.secondsLeft)} left`;
    const label = job.status === 'saving' ? 'Putting the files together' : `Making previews${left}`;
    const failed = job.rows.filter(({ status }) => status === 'failed').length;
    const count = `${job.made} ${job.made === 1 ? 'preview' : 'previews'} made${failed > 0 ? `, ${failed} failed` : ''}.`;
    const savable = job.made > 0 && (job.status === 'cancelled' || job.status === 'stopped');
    const { batch } = this.studio;
    const unfinished = job.status === 'cut-short' || job.status === 'stopped' || job.status === 'cancelled';
    return html`<div class="stack" id="job">
        ${running ? html`<sp-progress-bar label=${label} progress=${percent}></sp-progress-bar>` : nothing}
        <p role="status" class=${job.status === 'stopped' ? 'fault' : ''}>
          ${running || job.status === 'cut-short' ? nothing : html`${count} `}${job.words}
        </p>
        <ol aria-label="Clips">
          ${job.rows.map(
            ({ index, name, status, words }) =>
              html`<li data-status=${status}>
                <strong>${index}. ${name}</strong
                ><span>${status === 'failed' ? 'Failed: ' : ''}${words}</span>
              </li>`,
          )}
        </ol>
      </div>
      ${
        running
          ? html`<sp-button
              slot="button"
              variant="secondary"
              treatment="outline"
              @click=${() => batch.view$.value.job?.cancel()}
              >Cancel batch</sp-button
            >`
          : html`<sp-button
              slot="button"
              variant="secondary"
              treatment="outline"
              @click=${() => batch.again()}
              >New batch</sp-button
            >`
      }
      ${
        savable
          ? html`<sp-button
              slot="button"
              variant="secondary"
              treatment="outline"
              @click=${() => void batch.view$.value.job?.saveMade()}
              >Save what is made</sp-button
            >`
          : nothing
      }
      ${
        unfinished
          ? html`<sp-button slot="button" variant="accent" @click=${() => void this.goOn()}>Go on</sp-button>`
          : nothing
      }
      <sp-button
        slot="button"
        variant=${running || unfinished ? 'secondary' : 'accent'}
        @click=${() => batch.close()}
        >${running ? 'Go on in the background' : 'Close'}</sp-button
      >`;
  }

  private async start(): Promise<void> {
    const target = await this.chooseTarget(this.toFolder);
    if (target === undefined) return;
    this.heading.focus();
    await this.studio.batch.start(this.choice, target);
  }

  private async goOn(): Promise<void> {
    const target = await this.chooseTarget(this.studio.batch.toFolder);
    if (target === undefined) return;
    this.heading.focus();
    await this.studio.batch.goOn(target);
  }

  /** The folder for the files, null for a zip, undefined where the editor chose none. */
  private async chooseTarget(toFolder: boolean): Promise<FileSystemDirectoryHandle | null | undefined> {
    if (!toFolder || !window.showDirectoryPicker) return null;
    try {
      return await window.showDirectoryPicker({ mode: 'readwrite' });
    } catch {
      return undefined;
    }
  }

  private choose<K extends keyof BatchChoice>(key: K, value: BatchChoice[K]): void {
    this.choice = { ...this.choice, [key]: value };
  }
}

/** The value of a radio group that was changed. */
function chosenOf<T extends string>(event: Event, values: readonly [T, ...T[]] | readonly T[]): T {
  const { selected } = event.currentTarget as HTMLElement & { selected: string };
  return values.find((value) => value === selected) ?? values[0]!;
}

/** `40 s`, `3 min`. */
function timeLeft(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}

declare global {
  interface HTMLElementTagNameMap {
    'batch-dialog': BatchDialog;
  }
}
