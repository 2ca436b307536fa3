/** Path data of the chat's icons, drawn on a grid of 24 by 24. */

export const CLOSE = 'M6 6l12 12M18 6L6 18';
export const SEND = 'M12 19V5M6 11l6-6 6 6';
export const STOP = 'M8 8h8v8H8z';
export const DOWN = 'M12 5v14M6 13l6 6 6-6';
export const SPARK = 'M12 3c.7 5.2 3.8 8.3 9 9-5.2.7-8.3 3.8-9 9-.7-5.2-3.8-8.3-9-9 5.2-.7 8.3-3.8 9-9Z';
export const PERSON = 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM5 20c.8-3.3 3.6-5 7-5s6.2 1.7 7 5';
