import { html, LitElement, nothing } from 'lit';
import { customElement, property, state as internal } from 'lit/decorators.js';
import { combineLatest, of, Subscription, switchMap, map } from 'rxjs';
import type { BatchJobState } from '../batch/batch-job.ts';
import type { Studio } from '../studio.ts';

/** How far a batch is that goes on behind its closed dialog, or that one waits to go on; opens the dialog. */
@customElement('batch-badge')
export class BatchBadge extends LitElement {
  @property({ attribute: false }) studio!: Studio;
  @internal() private words: string | null = null;
  private readonly connections = new Subscription();

  override connectedCallback(): void {
    super.connectedCallback();
    const { view$ } = this.studio.batch;
    const job$ = view$.pipe(switchMap(({ job }) => job?.state$ ?? of(null)));
    const words$ = combineLatest([view$, job$]).pipe(
      map(([view, job]) => (view.open || !job ? null : wordsFor(job))),
    );
    this.connections.add(words$.subscribe((words) => (this.words = words)));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.connections.unsubscribe();
  }

  protected override render() {
    if (this.words === null) return nothing;
    return html`<sp-action-button size="m" @click=${() => this.studio.batch.open()}
      >${this.words}</sp-action-button
    >`;
  }
}

function wordsFor({ status, fraction }: BatchJobState): string | null {
  if (status === 'running' || status === 'saving') return `Batch preview, ${Math.floor(100 * fraction)} %`;
  return status === 'cut-short' ? 'Batch preview: go on…' : null;
}

declare global {
  interface HTMLElementTagNameMap {
    'batch-badge': BatchBadge;
  }
}
