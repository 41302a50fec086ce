/** How Y'CbCr numbers stand for colours. Tags of ISO/IEC 23091-2 by their WebCodecs names (TypeScript's lists are short). */
export interface ColourTags {
  primaries: VideoColorPrimaries | 'bt2020' | 'smpte432';
  transfer: VideoTransferCharacteristics | 'linear' | 'pq' | 'hlg';
  matrix: VideoMatrixCoefficients | 'bt2020-ncl';
  fullRange: boolean;
}

/** Untagged tags of a new shot (cold start): what cameras and browsers take for granted. */
export const REC709: ColourTags = {
  primaries: 'bt709',
  transfer: 'bt709',
  matrix: 'bt709',
  fullRange: false,
};

/**
 * Completes a clip's colour tags the way players do: an untagged picture of 720 lines or more is Rec. 709, a smaller one
 * Rec. 601; an untagged range is the limited one (16…235).
 * @param init what container or bit stream say
 * @param lines picture height in coded lines
 */
export function completeTags(init: VideoColorSpaceInit, lines: number): ColourTags {
  const tags = init as { [key in keyof ColourTags]?: ColourTags[key] | null | undefined };
  const matrix =
    tags.matrix ?? (tags.primaries === 'bt2020' ? 'bt2020-ncl' : lines >= 720 ? 'bt709' : 'smpte170m');
  const family =
    matrix === 'smpte170m' || matrix === 'bt470bg' ? matrix : matrix === 'bt2020-ncl' ? 'bt2020' : 'bt709';
  return {
    primaries: tags.primaries ?? family,
    transfer: tags.transfer ?? (matrix === 'smpte170m' || matrix === 'bt470bg' ? 'smpte170m' : 'bt709'),
    // RGB files (screen recordings) are turned into Y'CbCr before they are written.
    matrix: matrix === 'rgb' ? 'bt709' : matrix,
    fullRange: tags.fullRange ?? false,
  };
}

/** Luma weights of red and blue; green has the rest. */
export function lumaWeights(matrix: ColourTags['matrix']): { red: number; blue: number } {
  switch (matrix) {
    case 'smpte170m':
    case 'bt470bg':
      return { red: 0.299, blue: 0.114 };
    case 'bt2020-ncl':
      return { red: 0.2627, blue: 0.0593 };
    default:
      return { red: 0.2126, blue: 0.0722 };
  }
}

/** The tags as WebCodecs and mediabunny want them. */
export function colourSpace(tags: ColourTags): VideoColorSpaceInit {
  return { ...tags } as VideoColorSpaceInit;
}
