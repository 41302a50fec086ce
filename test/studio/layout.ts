import type { Page } from 'playwright';

/**
 * What is wrong with the layout, by geometry; empty where nothing is: the page scrolls sideways, a control can not be brought
 * wholly into the window, lies under something else or over another control, or cuts its own words off. Controls are scrolled
 * into sight to be looked at; those inside an open dialog alone where there is one.
 */
export async function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const CONTROLS =
      'button,input,select,summary,[role=button],[role=radio],[role=slider],[role=application]';
    const faults: string[] = [];
    const root = document.scrollingElement!;
    if (root.scrollWidth > innerWidth) faults.push(`the page is ${root.scrollWidth} wide, not ${innerWidth}`);
    if (root.scrollHeight > innerHeight)
      faults.push(`the page is ${root.scrollHeight} high, not ${innerHeight}`);

    /** All elements, through shadow roots. */
    function* all(node: Document | ShadowRoot | Element): Generator<Element> {
      for (const child of node.children) {
        yield child;
        if (child.shadowRoot) yield* all(child.shadowRoot);
        yield* all(child);
      }
    }
    /** The element around one, out of shadow roots and slots. */
    const around = (element: Element): Element | null =>
      element.assignedSlot ??
      element.parentElement ??
      ((element.getRootNode() as ShadowRoot).host as Element) ??
      null;
    const isIn = (inner: Element | null, outer: Element): boolean => {
      for (let at = inner; at; at = around(at)) if (at === outer) return true;
      return false;
    };
    /** What a press in a place would meet. A tooltip goes away with the pointer, so it does not count. */
    const topmost = (x: number, y: number, root: Document | ShadowRoot = document): Element | null => {
      for (const element of root.elementsFromPoint(x, y)) {
        if (!root.contains(element) || element.matches('sp-tooltip, [id=tooltip]')) continue;
        const inside = element.shadowRoot
          ?.elementsFromPoint(x, y)
          .filter((e) => element.shadowRoot!.contains(e));
        if (!inside?.length) return element;
        const hit = topmost(x, y, element.shadowRoot!);
        if (hit) return hit;
      }
      return null;
    };
    const shown = (element: Element): boolean => {
      const box = element.getBoundingClientRect();
      return (
        box.width > 1 &&
        box.height > 1 &&
        element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
      );
    };
    const name = (element: Element): string =>
      `${element.localName}#${element.id} “${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 30)}”`;

    const dialog = [...all(document)].find((element) => element instanceof HTMLDialogElement && element.open);
    const scope = [...all(document)].filter((element) => !dialog || isIn(element, dialog));
    const controls = scope.filter((element) => element.matches(CONTROLS) && shown(element));
    // A control inside another is a part of it: the field of a number field, the button of a picker.
    const whole = controls.filter(
      (element) => !controls.some((other) => other !== element && isIn(element, other)),
    );
    for (const control of whole) {
      control.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      const box = control.getBoundingClientRect();
      const ranged = control.closest('studio-timeline,[role=listbox]');
      if (box.left < -0.5 || box.right > innerWidth + 0.5)
        faults.push(`${name(control)} leaves the window sideways`);
      if (box.top < -0.5 || box.bottom > innerHeight + 0.5) faults.push(`${name(control)} leaves the window`);
      if (ranged || getComputedStyle(control).pointerEvents === 'none') continue;
      for (const [fx, fy] of [
        [0.5, 0.5],
        [0.12, 0.5],
        [0.88, 0.5],
      ] as const) {
        const hit = topmost(box.left + fx * box.width, box.top + fy * box.height);
        const label = hit?.closest('label');
        if (hit && (isIn(hit, control) || isIn(control, hit) || (label && isIn(control, label)))) continue;
        // Spectrum's sliders and switches put their inputs under their own parts.
        if (hit && hit.getRootNode() === control.getRootNode() && control instanceof HTMLInputElement)
          continue;
        faults.push(`${name(control)} is covered by ${hit ? name(hit) : 'nothing'}`);
        break;
      }
    }
    for (const [i, a] of whole.entries())
      for (const b of whole.slice(i + 1)) {
        if (a.getRootNode() !== b.getRootNode()) continue;
        const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
        const x = Math.min(p.right, q.right) - Math.max(p.left, q.left);
        const y = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
        if (x > 1 && y > 1 && !(a instanceof HTMLInputElement))
          faults.push(`${name(a)} and ${name(b)} overlap`);
      }
    for (const element of scope) {
      const style = getComputedStyle(element);
      if (!shown(element) || style.overflowX === 'visible' || style.clipPath !== 'none') continue;
      if (element.localName === 'input' || element.matches('.scroller,.ellipsis,.name,.badge,studio-clip'))
        continue;
      // A name may be shortened with dots; a control's own words may not.
      if (style.overflowX !== 'auto' && style.textOverflow === 'ellipsis') continue;
      const own = [...element.childNodes].some(
        (node) => node.nodeType === 3 && node.textContent!.trim() !== '',
      );
      if (element.scrollWidth > element.clientWidth + 1 && (own || style.overflowX !== 'hidden'))
        faults.push(`${name(element)} cuts its words off`);
    }
    return faults;
  });
}
