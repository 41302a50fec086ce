/**
 * A picture as codecs keep it: 8-bit Y'CbCr 4:2:0, three planes without padding, rows from the top. Chroma planes are
 * ceil(width/2) × ceil(height/2). Clips pass through this form only, so that the user's frames and the new ones have met
 * the same arithmetic on both sides of the cut.
 */
export interface YuvPicture {
  width: number;
  height: number;
  y: Uint8Array;
  u: Uint8Array;
  v: Uint8Array;
}

type Planes = Pick<YuvPicture, 'y' | 'u' | 'v'>;

export function chromaSize(width: number, height: number): { width: number; height: number } {
  return { width: (width + 1) >> 1, height: (height + 1) >> 1 };
}

/** A picture with planes of the right sizes, all zero. */
export function allocatePicture(width: number, height: number): YuvPicture {
  const chroma = chromaSize(width, height);
  return pictureOver(new Uint8Array(width * height + 2 * chroma.width * chroma.height), width, height);
}

/** The picture whose planes lie one behind the other, without padding, in memory of exactly that size; nothing is copied. */
export function pictureOver(data: Uint8Array, width: number, height: number): YuvPicture {
  const chroma = chromaSize(width, height);
  const [luma, each] = [width * height, chroma.width * chroma.height];
  return {
    width,
    height,
    y: data.subarray(0, luma),
    u: data.subarray(luma, luma + each),
    v: data.subarray(luma + each, luma + 2 * each),
  };
}

/** The memory of a picture whose planes lie as in `pictureOver`, with nothing else in its buffer; null for any other. */
export function wholeMemory({ y, u, v }: Planes): Uint8Array<ArrayBuffer> | null {
  const { buffer, byteLength } = y;
  const behind = (plane: Uint8Array, offset: number): boolean =>
    plane.buffer === buffer && plane.byteOffset === offset;
  const inOrder = behind(y, 0) && behind(u, byteLength) && behind(v, byteLength + u.byteLength);
  if (!inOrder || buffer.byteLength !== byteLength + u.byteLength + v.byteLength) return null;
  return new Uint8Array(buffer as ArrayBuffer);
}

/** A picture's planes one behind the other, as a copy. */
export function joinedMemory({ y, u, v }: Planes): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(y.length + u.length + v.length);
  data.set(y);
  data.set(u, y.length);
  data.set(v, y.length + u.length);
  return data;
}

type Plane = { data: Uint8Array; width: number; height: number };

function mapPlanes(
  picture: YuvPicture,
  width: number,
  height: number,
  map: (from: Plane, to: Plane) => void,
): YuvPicture {
  const result = allocatePicture(width, height);
  const before = chromaSize(picture.width, picture.height);
  const after = chromaSize(width, height);
  map({ data: picture.y, width: picture.width, height: picture.height }, { data: result.y, width, height });
  map({ data: picture.u, ...before }, { data: result.u, ...after });
  map({ data: picture.v, ...before }, { data: result.v, ...after });
  return result;
}

/**
 * Turns a picture the way its file says it must be shown.
 * @param rotation degrees clockwise
 * @param flip mirror left and right, after the rotation
 */
export function turnPicture(picture: YuvPicture, rotation: 0 | 90 | 180 | 270, flip: boolean): YuvPicture {
  if (rotation === 0 && !flip) return picture;
  const swap = rotation === 90 || rotation === 270;
  const width = swap ? picture.height : picture.width;
  const height = swap ? picture.width : picture.height;
  return mapPlanes(picture, width, height, (from, to) => {
    // Steps through the source as the target is filled row by row.
    const stepX = { 0: 1, 90: -from.width, 180: -1, 270: from.width }[rotation] * (flip ? -1 : 1);
    for (let row = 0; row < to.height; row++) {
      const left = {
        0: row * from.width,
        90: (from.height - 1) * from.width + row,
        180: (from.height - row) * from.width - 1,
        270: from.width - 1 - row,
      }[rotation];
      let source = flip ? left - stepX * (to.width - 1) : left;
      for (let column = 0; column < to.width; column++, source += stepX) {
        to.data[row * to.width + column] = from.data[source]!;
      }
    }
  });
}

/** Fixed point of resampling: 8 bits behind the point, so that two weights and a value fit in 32 bits. */
const WHOLE = 256;

/** For every place along a line: the two values it lies between, and the weight of the second in 1/256. */
function taps(from: number, to: number): { near: Int32Array; far: Int32Array; weight: Int32Array } {
  const [near, far, weight] = [new Int32Array(to), new Int32Array(to), new Int32Array(to)];
  for (let i = 0; i < to; i++) {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    near[i] = Math.floor(at);
    far[i] = Math.min(from - 1, near[i]! + 1);
    weight[i] = Math.round((at - near[i]!) * WHOLE);
  }
  return { near, far, weight };
}

/** Resamples a picture, bilinear with pixel centres kept. Used for pictures with non-square pixels. */
export function scalePicture(picture: YuvPicture, width: number, height: number): YuvPicture {
  if (picture.width === width && picture.height === height) return picture;
  return mapPlanes(picture, width, height, (from, to) => {
    const across = taps(from.width, to.width);
    const down = taps(from.height, to.height);
    const { data } = from;
    for (let row = 0; row < to.height; row++) {
      const top = down.near[row]! * from.width;
      const below = down.far[row]! * from.width;
      const lower = down.weight[row]!;
      const upper = WHOLE - lower;
      const start = row * to.width;
      for (let column = 0; column < to.width; column++) {
        const left = across.near[column]!;
        const right = across.far[column]!;
        const weight = across.weight[column]!;
        const before = data[top + left]! * upper + data[below + left]! * lower;
        const after = data[top + right]! * upper + data[below + right]! * lower;
        to.data[start + column] = (before * (WHOLE - weight) + after * weight + 32768) >> 16;
      }
    }
  });
}

/** Size in the file of a picture: even sides. */
export function evenSize(size: { width: number; height: number }): { width: number; height: number } {
  return { width: size.width + (size.width & 1), height: size.height + (size.height & 1) };
}

/** Adds a column and a row where a side is odd, repeating the edge: no pixel of the picture is lost or moved. */
export function padToEven(picture: YuvPicture): YuvPicture {
  const { width, height } = evenSize(picture);
  if (width === picture.width && height === picture.height) return picture;
  return mapPlanes(picture, width, height, (from, to) => {
    for (let row = 0; row < to.height; row++) {
      const source = Math.min(row, from.height - 1) * from.width;
      to.data.set(from.data.subarray(source, source + from.width), row * to.width);
      if (to.width > from.width) to.data[row * to.width + from.width] = from.data[source + from.width - 1]!;
    }
  });
}
