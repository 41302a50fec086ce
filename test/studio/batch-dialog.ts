import type { Locator } from 'playwright';
import type { StudioPage } from './studio-page.ts';

/** Studio's dialog for batch previews. */
export function batchDialog({ page }: StudioPage): Locator {
  return page.getByRole('dialog', { name: 'Batch preview' });
}

/** Types into a field of it in place of what is there. */
export async function typeInBatch(studio: StudioPage, label: string, text: string): Promise<void> {
  const dialog = batchDialog(studio);
  const field = dialog
    .getByLabel(label)
    .locator('input')
    .or(dialog.getByRole('textbox', { name: label }));
  await field.first().click();
  await studio.page.keyboard.press('Control+a');
  await studio.page.keyboard.type(text);
  await studio.page.keyboard.press('Tab');
}
