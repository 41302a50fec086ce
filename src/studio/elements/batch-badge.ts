import { html, LitElement, nothing } from 'lit';
import { customElement, property, state as internal } from 'lit/decorators.js';
import { combineLatest, of, Subscription, switchMap, map } from 'rxjs';
import type { Studio } from '../studio.ts';

/** How far a batch is that goes on behind its closed dialog; opens the dialog. Nothing while there is none. */
@customElement('batch-badge')
export class BatchBadge extends LitElement {
  @property({ attribute: false }) studio!: Studio;
  @internal() private percent: number | null = null;
  private readonly connections = new Subscription();

  override connectedCallback(): void {
    super.connectedCallback();
    const { view$ } = this.studio.batch;
    const job$ = view$.pipe(switchMap(({ job }) => job?.state$ ?? of(null)));
    const percent$ = combineLatest([view$, job$]).pipe(
      map(([view, job]) => (view.open || !view.job?.running || !job ? null : Math.floor(100 * job.fraction))),
    );
    this.connections.add(percent$.subscribe((percent) => (this.percent = percent)));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.connections.unsubscribe();
  }

  protected override render() {
    if (this.percent === null) return nothing;
    return html`<sp-action-button size="m" @click=${() => this.studio.batch.open()}
      >Batch preview, ${this.percent} %</sp-action-button
    >`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'batch-badge': BatchBadge;
  }
}
