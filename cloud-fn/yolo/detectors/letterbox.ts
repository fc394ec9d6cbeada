/** Size of a picture scaled to fit a square of `side` pixels, proportions kept, never enlarged beyond it.
 *  The picture lies in the corner at the top left; what is left of the square stays the detector's padding, so
 *  boxes in the square divided by this size are relative to the picture. */
export function fitInto(
  side: number,
  source: { readonly width: number; readonly height: number },
): { width: number; height: number } {
  const ratio = Math.min(side / source.width, side / source.height);
  // The YOLOX export was trained with truncated sizes; a picture 1000 times wider than high keeps one row.
  const scaled = (length: number) => Math.max(1, Math.min(side, Math.trunc(length * ratio + 1e-6)));
  return { width: scaled(source.width), height: scaled(source.height) };
}

/** Packed RGB into the top left corner of a planar BGR tensor (blue plane first), values 0 to 255 as they are. */
export function packedRgbToPlanarBgr(
  picture: { readonly rgb: Uint8Array; readonly width: number; readonly height: number },
  side: number,
  tensor: Float32Array,
): void {
  const { rgb, width, height } = picture;
  const plane = side * side;
  let from = 0;
  for (let y = 0; y < height; y++) {
    let to = y * side;
    for (let x = 0; x < width; x++, to++, from += 3) {
      tensor[to] = rgb[from + 2] ?? 0;
      tensor[to + plane] = rgb[from + 1] ?? 0;
      tensor[to + 2 * plane] = rgb[from] ?? 0;
    }
  }
}
