import { BehaviorSubject, type Observable } from 'rxjs';
import type { Action } from './actions.ts';
import { initialState, type PanelState } from './panel-state.ts';
import { reduce } from './reducer.ts';

/** The panel's one store: actions in, states out. */
export class PanelStore {
  readonly #subject: BehaviorSubject<PanelState>;

  constructor(state: PanelState = initialState) {
    this.#subject = new BehaviorSubject(state);
  }

  get state(): PanelState {
    return this.#subject.value;
  }

  /** Every state, the present one first. */
  get state$(): Observable<PanelState> {
    return this.#subject.asObservable();
  }

  dispatch(action: Action): void {
    const next = reduce(this.#subject.value, action);
    if (next !== this.#subject.value) this.#subject.next(next);
  }
}
