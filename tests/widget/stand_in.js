/**
 * A stand-in for the server, for tests of the client: the wire as documented, over real HTTP, with
 * answers that come when the test says so and faults where the test wants them.
 */

import { createServer } from 'node:http';
import { once } from 'node:events';

import { encodeEvent } from '../../widget/src/sse.js';

const STREAM = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache, no-transform' };

/** One answer: its events, and the readers that follow them. */
function createTurn(number, { requestId, message: question }, onEnd) {
  const turn = {
    requestId,
    question,
    streamId: `stream${number}`,
    messageId: `answer${number}`,
    epoch: `e${number}`,
    events: [],
    readers: new Set(),
    text: '',
    end: null,
  };

  function append(type, data) {
    const id = `${turn.epoch}.${turn.events.length + 1}`;
    turn.events.push(encodeEvent({ id, type, data: JSON.stringify(data) }));
    for (const reader of turn.readers) reader();
  }

  function finish(end, type, data) {
    if (turn.end) return;
    turn.end = end;
    onEnd(turn);
    append(type, data);
  }

  turn.connect = () => append('connected', {
    streamId: turn.streamId, messageId: turn.messageId, conversationId: 'c1', clientId: 'x', message: '', timestamp: 1,
  });
  turn.say = (text, timestamp = 1) => {
    if (turn.end) return;
    append('token', { text, index: turn.text.length, timestamp });
    turn.text += text;
  };
  turn.send = append;
  turn.done = (finishReason = 'stop') => finish({ finishReason }, 'done', {
    messageId: turn.messageId, fullText: turn.text, finishReason, tokens: 1, duration: 1, usage: null, timestamp: 1,
  });
  turn.fail = (code, message = 'It failed.') =>
    finish({ finishReason: 'error', errorCode: code }, 'error', { code, message, retryable: true, timestamp: 1 });
  return turn;
}

const refusal = (code, extra = {}) => ({ error: { code, message: `${code}.`, retryable: false, ...extra } });

function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(body && JSON.stringify(body));
}

/** Sends the events after number `seq`, then each as it comes, until the terminal one. */
function stream(response, turn, seq) {
  let sent = seq;
  response.writeHead(200, STREAM);
  response.write('retry: 1000\n');
  const read = () => {
    while (sent < turn.events.length) response.write(turn.events[sent++]);
    if (turn.end) response.end();
  };
  turn.readers.add(read);
  response.on('close', () => turn.readers.delete(read));
  read();
}

/** Sends the events after number `seq`, as a body that ends; without any, what comes first in so many seconds. */
function excerpt(response, turn, seq, waitS) {
  const send = () => {
    turn.readers.delete(send);
    clearTimeout(timer);
    const body = ['retry: 1000\n', ...turn.events.slice(seq)].join('');
    response.writeHead(200, { ...STREAM, 'Content-Length': Buffer.byteLength(body) });
    response.write(body);
    response.end();
  };
  const timer = setTimeout(send, waitS * 1000);
  if (turn.events.length > seq) return send();
  turn.readers.add(send);
  response.on('close', () => {
    clearTimeout(timer);
    turn.readers.delete(send);
  });
}

async function readBody(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : null;
}

/**
 * Starts one on a port of its own. `faults` are functions `(request, response, proceed)` for the
 * requests to come, one each, and `line` is one for all others; `requests` tells what was asked, as
 * `METHOD path cursor`. All `sessions` are those of one visitor.
 */
export async function startStandIn({ answer = () => {} } = {}) {
  const state = {
    turns: [], messages: [], faults: [], requests: [], bodies: [], conversationId: null, line: undefined,
    sessions: new Set([SESSION_ID]),
    /** The newest one. */
    get turn() {
      return this.turns.at(-1);
    },
  };
  const running = () => state.turns.find(({ end }) => !end);

  function onEnd(turn) {
    state.messages.push({
      messageId: turn.messageId, author: 'assistant', content: turn.text, requestId: turn.requestId,
      errorCode: null, createdAt: 2, ...turn.end,
    });
  }

  function start(body) {
    const turn = createTurn(state.turns.length + 1, body, onEnd);
    state.turns.push(turn);
    state.conversationId = 'c1';
    state.messages.push({
      messageId: `question${state.turns.length}`, author: 'visitor', content: body.message,
      requestId: body.requestId, finishReason: null, errorCode: null, createdAt: 1,
    });
    turn.connect();
    void answer(turn);
    return turn;
  }

  /** The stream, or what there is of it. */
  function tell({ url }, response, turn, seq) {
    const wait = new URL(url, 'http://any').searchParams.get('wait');
    return wait === null ? stream(response, turn, seq) : excerpt(response, turn, seq, Number(wait));
  }

  const routes = {
    'POST /chat': (request, response, body) => {
      const same = state.turns.find(({ requestId }) => requestId === body.requestId);
      const busy = running();
      if (same || !busy) return tell(request, response, same ?? start(body), 0);
      return sendJson(response, 409, refusal('TURN_RUNNING', { retryable: true, streamId: busy.streamId }));
    },
    'GET /chat/:id': (request, response, _, turn) => {
      const [epoch, seq] = (request.headers['last-event-id'] ?? `${turn.epoch}.0`).split('.');
      if (epoch !== turn.epoch) throw new Error(`foreign cursor ${epoch}`);
      if (turn.end && Number(seq) === turn.events.length) return response.writeHead(204).end();
      return tell(request, response, turn, Number(seq));
    },
    'POST /chat/:id/abort': (_, response, __, turn) => {
      turn.done('aborted');
      sendJson(response, 200, { streamId: turn.streamId, state: 'aborted' });
    },
    'GET /conversation': (_, response) => {
      const { streamId, epoch, messageId, requestId } = running() ?? {};
      const activeStream = streamId ? { streamId, lastEventId: `${epoch}.0`, messageId, requestId } : null;
      sendJson(response, 200, { conversationId: state.conversationId, messages: state.messages, activeStream });
    },
    'DELETE /conversation': (_, response) => {
      running()?.fail('INTERRUPTED');
      Object.assign(state, { messages: [], conversationId: null, turns: [] });
      response.writeHead(204).end();
    },
  };

  async function serve(request, response) {
    const { method, url, headers } = request;
    const body = await readBody(request);
    state.requests.push([method, url, headers['last-event-id']].filter(Boolean).join(' '));
    state.bodies.push(body);
    const [, id] = /^\/chat\/(\w+)/.exec(url) ?? [];
    const turn = state.turns.find(({ streamId }) => streamId === id);
    const route = routes[`${method} ${url.replace(/^\/chat\/\w+/, '/chat/:id').replace(/\?.*/, '')}`];
    const isAllowed = state.sessions.has(body?.sessionId ?? headers.authorization?.replace('Bearer ', ''));
    const proceed = (other = response) => {
      if (!route || (id && !turn)) return sendJson(other, 404, refusal('NOT_FOUND'));
      return isAllowed ? route(request, other, body, turn) : sendJson(other, 401, refusal('SESSION_MISSING'));
    };
    const fault = state.faults.shift() ?? state.line;
    return fault ? fault(request, response, proceed) : proceed();
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    /** Cuts every connection that is open now. */
    cut: () => server.closeAllConnections(),
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  });
}

export const SESSION_ID = 'session-of-a-visitor';

/** Faults. The connection is refused or dies before a byte. */
export const unreachable = (_, response) => response.socket.destroy();

/** The server gets the request and acts on it, the reply never arrives. */
export const lostReply = (_, response, proceed) => {
  const { write, end } = response;
  Object.assign(response, { write: () => true, end: () => response.socket.destroy(), writeHead: () => response });
  proceed();
  Object.assign(response, { write, end });
  response.socket.destroy();
};

/** The request stays without any reply until the connection is cut. */
export const silent = () => {};

/** A reply of one's own. */
export const reply = (status, body, headers = {}) => (_, response) => sendJson(response, status, body, headers);

/** What a hotel's network says to anything. */
export const loginPage = (_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html' });
  response.end('<html><body>Please log in</body></html>');
};

/** No fault. */
export const fine = (_, __, proceed) => proceed();

/** The body is cut after `length` bytes. */
export const cutAfter = (length) => (request, response, proceed) => {
  if (length === 0) return lostReply(request, response, proceed);
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  let left = length;
  response.write = (text) => {
    const bytes = Buffer.from(text);
    if (left <= 0) return true;
    const part = bytes.subarray(0, left);
    left -= bytes.length;
    return write(part, () => left <= 0 && response.socket?.destroy());
  };
  response.end = (...rest) => (left > 0 ? end(...rest) : response);
  proceed();
};

/** A proxy keeps what comes until all has come, or `gate` is open; but for so many bytes, or the head. */
export const holding = ({ passes = 0, passesHead = false, gate = {} } = {}) => (_, response, proceed) => {
  const { writeHead, write, end } = response;
  const held = [];
  let left = passes;
  const writeOut = (bytes) => bytes.length > 0 && write.call(response, bytes);
  response.writeHead = (...head) => {
    writeHead.apply(response, head);
    if (passesHead) response.flushHeaders();
    return response;
  };
  response.write = (text) => {
    const bytes = Buffer.from(text);
    if (gate.isOpen) return writeOut(Buffer.concat([...held.splice(0), bytes]));
    writeOut(bytes.subarray(0, left));
    held.push(bytes.subarray(left));
    left = Math.max(0, left - bytes.length);
    return true;
  };
  response.end = (text = '') => {
    for (const bytes of [...held, Buffer.from(text)]) writeOut(bytes);
    return end.call(response);
  };
  proceed();
};
