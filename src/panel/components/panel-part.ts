import { LitElement } from 'lit';
import { property } from 'lit/decorators.js';
import type { PanelController } from '../controller/panel-controller.ts';
import type { Language } from '../messages/catalogue.ts';
import type { PanelState } from '../state/panel-state.ts';

/** Base of the panel's sections: they draw the state and hand the editor's wishes to the controller. */
export abstract class PanelPart extends LitElement {
  @property({ attribute: false }) controller!: PanelController;
  @property({ attribute: false }) state!: PanelState;
  @property({ attribute: false }) language!: Language;
}
