import { LitElement } from 'lit';
import { property } from 'lit/decorators.js';
import type { Subscription } from 'rxjs';
import type { StudioState } from '../store/state.ts';
import type { Studio } from '../studio.ts';

/** Base of Studio's elements: redraws when the state changes. Set `studio` before it is connected. */
export abstract class StudioPart extends LitElement {
  @property({ attribute: false }) studio!: Studio;
  private subscription: Subscription | null = null;

  protected get state(): StudioState {
    return this.studio.store.state;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.subscription = this.studio.store.state$.subscribe(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.subscription?.unsubscribe();
  }
}
