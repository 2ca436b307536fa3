import assert from 'node:assert/strict';
import { test } from 'node:test';

import { initialState, reduce } from '../../widget/src/conversation.js';
import { applySnapshot } from '../../widget/src/snapshot.js';

const ask = (requestId, text = `${requestId}?`) => ({ type: 'ask', requestId, text, at: 5 });
const begin = (requestId, rest = {}) => ({ type: 'begin', requestId, at: 6, ...rest });
const event = (type, fields) => ({ type: 'event', event: { type, data: JSON.stringify(fields), lastEventId: 'e.1' } });
const connected = (requestId) =>
  event('connected', { streamId: `s-${requestId}`, messageId: `m-${requestId}`, conversationId: 'c1' });
const token = (text, index = 0) => event('token', { text, index });
const done = (fullText) => event('done', { fullText, finishReason: 'stop' });
const failure = { type: 'fail', error: { code: 'UPSTREAM_TIMEOUT', message: 'Too slow.', retryable: false } };

const after = (...actions) => actions.reduce(reduce, initialState);
const answered = (requestId) => [ask(requestId), begin(requestId), connected(requestId), done(`${requestId}!`)];

/** The server's copy of a question and its answer. */
const asked = (requestId, content = `${requestId}?`) => ({
  messageId: `v-${requestId}`, author: 'visitor', content, finishReason: null, errorCode: null, requestId, createdAt: 1,
});
const told = (requestId, content = `${requestId}!`, rest = {}) => ({
  messageId: `m-${requestId}`, author: 'assistant', content, finishReason: 'stop', errorCode: null, requestId,
  createdAt: 2, ...rest,
});
const copy = (messages, activeStream = null, conversationId = 'c1') => ({ conversationId, messages, activeStream });
const active = (requestId, streamId = `s-${requestId}`) =>
  ({ streamId, lastEventId: 'e.0', messageId: `m-${requestId}`, requestId });

/** `state` after the server told `snapshot`, asked for just now or when the state was `before`. */
const merge = (state, snapshot, before = state) =>
  reduce(state, { type: 'snapshot', apply: applySnapshot, snapshot, before });
const outline = ({ messages }) => messages.map(({ id, state, text }) => `${id} ${state} ${text}`);

test('into an empty page comes all of it', () => {
  const operator = { messageId: 'o1', author: 'operator', content: 'Hello', createdAt: 3 };
  const state = merge(initialState, copy([asked('r1'), told('r1'), operator]));
  assert.deepEqual(outline(state), ['q-r1 done r1?', 'a-r1 done r1!', 'o1 done Hello']);
  assert.deepEqual(state.messages[1], {
    id: 'a-r1',
    author: 'assistant',
    text: 'r1!',
    revision: 0,
    state: 'done',
    error: null,
    finishReason: 'stop',
    messageId: 'm-r1',
    requestId: 'r1',
    createdAt: 2,
  });
  assert.deepEqual([state.messages[2].requestId, state.messages[2].finishReason], [null, null]);
  assert.deepEqual(state.conversationId, 'c1');
});

test('before the first question there is nothing', () => {
  const state = merge(initialState, copy([], null, null));
  assert.deepEqual(state, initialState);
});

test('the end of an answer is told by its finish reason and its error', () => {
  const state = merge(initialState, copy([
    asked('r1'), told('r1', 'par', { finishReason: 'aborted' }),
    asked('r2'), told('r2', 'par', { finishReason: 'interrupted', errorCode: 'INTERRUPTED' }),
    asked('r3'), told('r3', '', { finishReason: 'error', errorCode: 'UPSTREAM_TIMEOUT' }),
  ]));
  assert.deepEqual(state.messages.filter(({ author }) => author === 'assistant').map(({ state: end }) => end), [
    'aborted', 'failed', 'failed',
  ]);
  assert.deepEqual(state.messages[5].error, { code: 'UPSTREAM_TIMEOUT', message: '', retryable: true });
});

test('what is on screen is not doubled, and keeps its bubbles', () => {
  const before = merge(after(...answered('r1')), copy([asked('r1'), told('r1')]));
  const state = merge(before, copy([asked('r1'), told('r1')]));
  assert.deepEqual(outline(state), ['q-r1 done r1?', 'a-r1 done r1!']);
  assert.equal(state.messages[0], before.messages[0]);
  assert.equal(state.messages[1], before.messages[1]);
});

test('the error that came with a failed answer is not replaced by a poorer one', () => {
  const before = after(ask('r1'), begin('r1'), connected('r1'), failure);
  const messages = [asked('r1'), told('r1', '', { errorCode: 'UPSTREAM_TIMEOUT', finishReason: 'error' })];
  assert.deepEqual(merge(before, copy(messages)).messages[1].error, failure.error);
});

test('a question that got its server name keeps its place and its key', () => {
  const state = merge(after(...answered('r1')), copy([asked('r1'), told('r1')]));
  assert.deepEqual(state.messages.map(({ messageId }) => messageId), ['v-r1', 'm-r1']);
});

test('unsent questions stay after everything that the server knows', () => {
  const state = merge(after(ask('r7'), ask('r8')), copy([asked('r1'), told('r1')]));
  assert.deepEqual(outline(state).slice(2), ['q-r7 queued r7?', 'q-r8 queued r8?']);
  assert.equal(state.queued, 2);
});

test('a running answer stays after its question, with its text', () => {
  const before = after(ask('r1'), begin('r1'), connected('r1'), token('par'), ask('r2'));
  const state = merge(before, copy([asked('r0'), told('r0'), asked('r1')], active('r1')));
  assert.deepEqual(outline(state).slice(2), ['q-r1 done r1?', 'a-r1 streaming par', 'q-r2 queued r2?']);
});

test('an answer that only this page knows stays with its question, whatever came later elsewhere', () => {
  const before = after(ask('r1'), begin('r1'), connected('r1'), failure);
  const state = merge(before, copy([asked('r1'), asked('r2'), told('r2')]));
  assert.deepEqual(state.messages.map(({ id }) => id), ['q-r1', 'a-r1', 'q-r2', 'a-r2']);
});

test('a turn that never reached the server stays before what followed it', () => {
  const before = after(ask('r1'), begin('r1'), failure, ...answered('r2'));
  const state = merge(before, copy([asked('r0'), told('r0'), asked('r2'), told('r2')]));
  assert.deepEqual(state.messages.map(({ id }) => id), ['q-r0', 'a-r0', 'q-r1', 'a-r1', 'q-r2', 'a-r2']);
});

test('an answer that ended while we were away is settled with the text of the server', () => {
  const before = after(ask('r1'), begin('r1'), connected('r1'), token('par'));
  const state = merge(before, copy([asked('r1'), told('r1', 'partial no more')]));
  assert.deepEqual(outline(state), ['q-r1 done r1?', 'a-r1 done partial no more']);
  assert.deepEqual([state.messages[1].revision, state.turn], [0, null]);
});

test('a text that is not the continuation of what was shown begins anew', () => {
  const before = after(ask('r1'), begin('r1'), connected('r1'), token('par'));
  assert.equal(merge(before, copy([asked('r1'), told('r1', 'other')])).messages[1].revision, 1);
});

test('a turn whose stream has got another name is followed from where that one starts', () => {
  const before = after(ask('r1'), begin('r1'), connected('r1'), token('par'));
  const { turn } = merge(before, copy([asked('r1')], active('r1', 's-new')));
  assert.deepEqual([turn.streamId, turn.cursor], ['s-new', 'e.0']);
});

test('a turn whose stream is the one we read goes on from its own cursor', () => {
  const before = after(ask('r1'), begin('r1'), connected('r1'));
  assert.equal(merge(before, copy([asked('r1')], active('r1'))).turn, before.turn);
});

test('a turn of ours is not mixed up with the running one of another tab', () => {
  const before = after(ask('r1'), begin('r1'));
  assert.equal(merge(before, copy([asked('r2')], active('r2'))).turn, before.turn);
});

test('a conversation erased from another tab goes from this page, too', () => {
  const before = after(...answered('r1'));
  assert.deepEqual(merge(before, copy([], null, null)), initialState);
});

test('an erased conversation takes its running answer with it', () => {
  const before = after(...answered('r1'), ask('r2'), begin('r2'), connected('r2'), token('par'), ask('r3'));
  const state = merge(before, copy([], null, null));
  assert.deepEqual([state.messages.map(({ id }) => id), state.turn], [['q-r3'], null]);
});

test('an erased conversation does not take what never reached the server', () => {
  const before = after(...answered('r1'), ask('r2'), begin('r2'), ask('r3'));
  const state = merge(before, copy([], null, null));
  assert.deepEqual(state.messages.map(({ id }) => id), ['q-r2', 'a-r2', 'q-r3']);
  assert.equal(state.conversationId, null);
});

test('what happened after the copy was asked for is newer than the copy', () => {
  const before = after(...answered('r1'));
  const since = [ask('r2'), begin('r2'), connected('r2'), done('new')].reduce(reduce, before);
  const state = merge(since, copy([], null, null), before);
  assert.deepEqual(state.messages.map(({ id }) => id), ['q-r2', 'a-r2']);
});

test('an old copy of nothing does not undo the first question', () => {
  const state = merge(after(...answered('r1')), copy([], null, null), initialState);
  assert.deepEqual([state.messages.length, state.conversationId], [2, 'c1']);
});

test('after an erasure the new conversation is taken over', () => {
  const state = merge(after(...answered('r1')), copy([asked('r5'), told('r5')], null, 'c2'));
  assert.deepEqual([state.messages.map(({ id }) => id), state.conversationId], [['q-r5', 'a-r5'], 'c2']);
});

test('what came beside an answer comes back in the shape of its events', () => {
  const sources = [{ n: 1, title: 'Delivery', url: 'https://shop.example/', snippet: '' }];
  const feedback = { rating: 'down', comment: null };
  const rich = told('r1', 'r1!', { sources, suggestions: ['And then?'], feedback });
  const state = merge(initialState, copy([asked('r1'), rich, asked('r2'), told('r2', 'r2!', { sources: null })]));
  const suggestions = { suggestions: ['And then?'] };
  assert.deepEqual(state.messages[1].more, { sources: { sources }, suggestions, feedback });
  assert.equal('more' in state.messages[3], false);
});

test('what came beside an answer outlives a copy without it', () => {
  const streamed = after(...answered('r1').slice(0, 3), event('suggestions', { suggestions: ['And then?'] }));
  const state = merge(streamed, copy([asked('r1'), told('r1')]));
  assert.deepEqual(state.messages[1].more, { suggestions: { suggestions: ['And then?'] } });
});
