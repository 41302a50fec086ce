/** Entry of the worker that writes PNG files: on the page a browser writes a large one in one go, and clicks wait for it. */
import type { RgbaFrame } from '../../engine/types.ts';
import { showLife } from '../../engine/worker/worker-life.ts';
import { contactSheet } from '../../media/contact-sheet.ts';
import { pictureToRgba } from '../../media/rgb.ts';
import type { FromPng, ToPng } from './png-protocol.ts';

showLife();
const post = (message: FromPng) => globalThis.postMessage(message);

globalThis.addEventListener('message', ({ data }: MessageEvent<ToPng>) => {
  write(data).then(
    (blob) => post({ id: data.id, blob }),
    (error: unknown) =>
      post({ id: data.id, message: error instanceof Error ? error.message : String(error) }),
  );
});

function frameOf(message: ToPng): RgbaFrame {
  if ('frame' in message) return message.frame;
  if ('strips' in message) return contactSheet(message.strips);
  return pictureToRgba(message.picture, message.colour);
}

function write(message: ToPng): Promise<Blob> {
  const { width, height, data } = frameOf(message);
  for (let at = 3; at < data.length; at += 4) data[at] = 255;
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(data as Uint8ClampedArray<ArrayBuffer>, width, height);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}
