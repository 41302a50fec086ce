import { Logging, LogLevel, registerDecoder, registerEncoder } from 'mediabunny';
import { registerMediabunnyServer } from '@mediabunny/server';
import * as av from 'node-av';
import { CarefulDecoder } from './careful-decoder.ts';
import { ColourTaggedEncoder } from './colour-tagged-encoder.ts';

let registered = false;

/**
 * Gives mediabunny its decoders and encoders in Node. Hardware acceleration stays off: probing for devices prints warnings
 * on machines that have none, and its results differ from machine to machine.
 */
export function registerMediaCodecs(): void {
  if (registered) return;
  registered = true;
  // Ours come first: mediabunny takes the first that supports a codec.
  registerDecoder(CarefulDecoder);
  registerEncoder(ColourTaggedEncoder);
  registerMediabunnyServer({ hardwareContext: null });
  // What goes wrong is told by the errors we throw; the libraries' own logs would write over the progress bar.
  Logging.level = LogLevel.Silent;
  av.Log.setLevel(av.AV_LOG_QUIET);
}
