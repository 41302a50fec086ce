/** Media for browsers and Node. Node needs `src/media/node` beside it, which brings the codecs. */
export { ClipWriter, type ClipFormat, type ClipWriterOptions } from './clip-writer.ts';
export { colourSpace, completeTags, REC709, type ColourTags } from './colour.ts';
export { contactSheet, thumbnail, TILE_SIDE, type SheetStrip, type SheetTile } from './contact-sheet.ts';
export { MAX_SECONDS, MAX_PIXELS, MAX_SIDE, MIN_SIDE } from './limits.ts';
export { Clip, openClip, type ClipFacts } from './open-clip.ts';
export { evenSize, type YuvPicture } from './picture.ts';
export * from './rational.ts';
export { pictureToRgba, rgbaToPicture } from './rgb.ts';
export {
  runExtension,
  type ExtensionOutput,
  type ExtensionPlan,
  type ExtensionProgress,
  type ExtensionResult,
} from './extension.ts';
