/**
 * Opens a dialog over the whole page; Escape leaves it.
 *
 * The key is taken before anything else on the page sees it: a tooltip that is still shown behind the dialog would
 * otherwise be what Escape closes (Spectrum's overlays listen on the document), and the dialog would stay.
 * @param leave what Escape does; it has to close the dialog
 */
export function openModal(dialog: HTMLDialogElement, leave: () => void): void {
  const key = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.isComposing || !dialog.open) return;
    event.preventDefault();
    event.stopPropagation();
    leave();
  };
  const closed = (): void => {
    if (dialog.open) return;
    window.removeEventListener('keydown', key, { capture: true });
    dialog.removeEventListener('close', closed);
  };
  window.addEventListener('keydown', key, { capture: true });
  dialog.addEventListener('close', closed);
  dialog.showModal();
}
