/** `Math.hypot` allocates at every call; nothing here is so large or so small that it needs its care. */
export const distance = (dx: number, dy: number): number => Math.sqrt(dx * dx + dy * dy);
