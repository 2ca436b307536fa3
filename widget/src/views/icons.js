/** Path data of the chat's icons, drawn on a grid of 24 by 24. */

export const CLOSE = 'M6 6l12 12M18 6L6 18';
export const SEND = 'M12 19V5M6 11l6-6 6 6';
export const STOP = 'M8 8h8v8H8z';
export const DOWN = 'M12 5v14M6 13l6 6 6-6';
export const SPARK = 'M12 3q1 8 9 9-8 1-9 9-1-8-9-9 8-1 9-9Z';
export const PERSON = 'M8 8a4 4 0 1 1 8 0 4 4 0 0 1-8 0ZM5 20q2-5 7-5t7 5';
