import type { RgbaFrame } from '../../engine/types.ts';
import type { ColourTags } from '../../media/colour.ts';
import type { SheetStrip } from '../../media/contact-sheet.ts';
import type { YuvPicture } from '../../media/picture.ts';

/** Page → worker that writes PNG files; every message is answered once. Alpha is ignored. */
export type ToPng = { id: number } & (
  { frame: RgbaFrame } | { picture: YuvPicture; colour: ColourTags } | { strips: readonly SheetStrip[] }
);

export type FromPng = { id: number; blob: Blob } | { id: number; message: string };
