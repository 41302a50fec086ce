import { writeFile } from 'node:fs/promises';
import {
  BufferTarget,
  EncodedPacket,
  EncodedVideoPacketSource,
  MpegTsOutputFormat,
  Output,
} from 'mediabunny';
import * as av from 'node-av';

/** Writes a transport stream of interlaced H.264, as camcorders do: grey frames of the given levels, 25 a second. */
export async function writeInterlacedClip(
  path: string,
  size: { width: number; height: number },
  levels: readonly number[],
): Promise<void> {
  const packets = await encode(size, levels);
  const output = new Output({ format: new MpegTsOutputFormat(), target: new BufferTarget() });
  const source = new EncodedVideoPacketSource('avc');
  output.addVideoTrack(source);
  await output.start();
  const decoderConfig = { codec: 'avc1.640028', codedWidth: size.width, codedHeight: size.height };
  for (const packet of packets) await source.add(packet, { decoderConfig });
  await output.finalize();
  await writeFile(path, new Uint8Array((output.target as BufferTarget).buffer!));
}

async function encode(
  { width, height }: { width: number; height: number },
  levels: readonly number[],
): Promise<EncodedPacket[]> {
  const context = new av.CodecContext();
  context.allocContext3(av.Codec.findEncoderByName(av.FF_ENCODER_LIBX264));
  Object.assign(context, { width, height, pixelFormat: av.AV_PIX_FMT_YUV420P, maxBFrames: 0 });
  context.timeBase = new av.Rational(1, 25);
  context.framerate = new av.Rational(25, 1);
  context.setOption('x264-params', 'interlaced=1:tff=1:bframes=0:rc-lookahead=0:sync-lookahead=0:threads=1');
  av.FFmpegError.throwIfError(await context.open2(), 'open encoder');
  const packets: EncodedPacket[] = [];
  const packet = new av.Packet();
  packet.alloc();
  const collect = async (): Promise<void> => {
    while ((await context.receivePacket(packet)) >= 0) {
      const type = packet.isKeyframe ? 'key' : 'delta';
      packets.push(new EncodedPacket(new Uint8Array(packet.data!), type, packets.length / 25, 1 / 25));
      packet.unref();
    }
  };
  for (const [index, level] of levels.entries()) {
    const pixels = Buffer.alloc(width * height * 1.5, 128).fill(level, 0, width * height);
    const frame = new av.Frame();
    frame.alloc();
    Object.assign(frame, { width, height, format: av.AV_PIX_FMT_YUV420P, pts: BigInt(index) });
    frame.fromBuffer(pixels);
    av.FFmpegError.throwIfError(await context.sendFrame(frame), 'send frame');
    frame.free();
    await collect();
    // Read by the encoder until here, so it must be in use until here.
    if (pixels[0] !== level) throw new Error('The pixels of a frame were changed.');
  }
  await context.sendFrame(null);
  await collect();
  packet.free();
  context.freeContext();
  return packets;
}
