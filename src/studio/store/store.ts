import type { Observable } from 'rxjs';
import { BehaviorSubject, distinctUntilChanged, map } from 'rxjs';
import type { Action } from './actions.ts';
import { reduce } from './reducer.ts';
import type { StudioState } from './state.ts';
import { initialState } from './state.ts';

/** Holds Studio's one state; actions are its only way in. */
export class StudioStore {
  private readonly subject: BehaviorSubject<StudioState>;
  readonly state$: Observable<StudioState>;

  constructor(start: StudioState = initialState()) {
    this.subject = new BehaviorSubject(start);
    this.state$ = this.subject.asObservable();
  }

  get state(): StudioState {
    return this.subject.value;
  }

  /** Applies an action; subscribers hear of it before this returns. An action that changes nothing is silent. */
  dispatch(action: Action): void {
    const next = reduce(this.subject.value, action);
    if (next !== this.subject.value) this.subject.next(next);
  }

  /** A part of the state, whenever it becomes another value. Emits the present one at once. */
  select<T>(pick: (state: StudioState) => T): Observable<T> {
    return this.state$.pipe(map(pick), distinctUntilChanged());
  }
}
