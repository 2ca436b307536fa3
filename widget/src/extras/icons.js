/** Path data of the icons of what is fetched later, drawn on a grid of 24 by 24. */

export const COPY = 'M9 9h11v11H9zM5 15H4V4h11v1';
export const CHECK = 'M5 13l4 4L19 7';
export const AGAIN = 'M19 8a8 8 0 1 0 1 6M20 3v6h-6';
/** Thumb up; upside down it is the other one. */
export const THUMB = 'M7 11v9H4v-9zl4-8q3 0 2.5 3L13 9h5q2.4 0 2 2.2l-1.3 6.8q-.4 2-2.4 2H7';
export const EDIT = 'M4 20l1-5L16 4l4 4L9 19zM13 7l4 4';
export const BACK = 'M8 14l-5-5 5-5M3 9h11a6 6 0 0 1 0 11h-3';
export const MORE = 'M12 5v.01M12 12v.01M12 19v.01';
export const PLUS = 'M12 5v14M5 12h14';
export const SAVE = 'M12 4v11M7 11l5 5 5-5M5 20h14';
export const BRACES = 'M9 4Q6 4 6 6v3q0 3-2 3 2 0 2 3v3q0 2 3 2M15 4q3 0 3 2v3q0 3 2 3-2 0-2 3v3q0 2-3 2';
export const BELL = 'M6 17v-6a6 6 0 0 1 12 0v6l1 1H5zM10.5 21h3';
export const BIN = 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13';
