/**
 * English, and the list of all keys. What the chat needs at once. `dir` is the way the language is written: of all
 * keys the one that is not shown.
 */
export const chat = {
  dir: 'ltr',
  close: 'Close chat',
  title: 'Chat with us',
  greeting: 'Hello! How can I help you?',
  visitor: 'You',
  assistant: 'Assistant',
  operator: 'Support team',
  system: 'Support team',
  transcript: 'Conversation',
  placeholder: 'Ask a question…',
  message: 'Your message',
  send: 'Send',
  stop: 'Stop',
  retry: 'Try again',
  waiting: 'Waiting for the answer above',
  stopped: 'Stopped',
  cutShort: 'The answer was cut at its length limit',
  filtered: 'The rest of the answer was withheld',
  reconnecting: 'Connection lost. Reconnecting…',
  lost: 'No connection.',
  newText: 'New text below',
  copy: 'Copy',
  copied: 'Copied',
  code: 'Code',
  table: 'Table',
  notShown: 'The rest is too long to be shown here.',
  failed: 'Something went wrong. Please try again.',
};

/** What is shown later. Keys in capitals are the codes of the failures that a text tells of. */
export const more = {
  typing: 'The assistant is writing…',
  tooLong: 'At most {limit} characters',
  'OVERLOADED UPSTREAM_BUSY SHUTTING_DOWN': 'The chat is very busy. Please try again in a moment.',
  RATE_LIMITED: 'Too many questions. Please try again in a moment.',
  'UPSTREAM_UNAVAILABLE UPSTREAM_TIMEOUT UPSTREAM_REFUSED STORE_UNAVAILABLE SERVER_UNPATCHED SERVER_MULTIPROCESS':
    'The assistant cannot answer at the moment.',
  'INTERRUPTED ANSWER_LOST': 'The answer was interrupted. Please try again.',
  EMPTY_ANSWER: 'The assistant had no answer this time.',
  CONTENT_FILTERED: 'This question cannot be answered here.',
  'ORIGIN_REFUSED SESSION_MISSING REFUSED NOT_FOUND': 'The chat cannot be used here.',
  'BAD_REQUEST PAYLOAD_TOO_LARGE UNSUPPORTED_MEDIA_TYPE REQUEST_MISMATCH': 'This question cannot be sent.',
  'CONNECTION_LOST REQUEST_TIMEOUT': 'Connection lost.',
};
