// What integrators write, rightly and wrongly. Never run: a test has TypeScript read it.

import { useState } from 'react';

import { ChatBubble, useChatStore } from './react.mjs';
import { mount, type Handle } from './widget.mjs';

const chat: Handle = mount({ title: 'Nell', theme: 'dark' });
// @ts-expect-error -- no such option
mount({ titel: 'Nell' });
// @ts-expect-error -- no such theme
mount({ theme: 'sepia' });

chat.ask('Do you ship to Norway?');
// @ts-expect-error -- a question is a text
chat.ask({ text: 'Do you ship to Norway?' });
// @ts-expect-error -- a question is needed
chat.send();
chat.update({ accent: null, strings: { send: 'Go' } });
// @ts-expect-error -- stays as it is
chat.update({ endpoint: '/chat' });

chat.on('answer', ({ text, question, finishReason }) => `${question.length} ${text.trim()} ${finishReason}`);
chat.on('unread', ({ count }) => count.toFixed());
chat.on('state', ({ messages }) => messages.map(({ author, createdAt }) => `${author} ${createdAt + 1}`));
// @ts-expect-error -- no such event
chat.on('reply', () => undefined);
// @ts-expect-error -- no such detail
chat.on('token', ({ word }) => word);
// @ts-expect-error -- what is told is not to be altered
chat.store.get().messages.push({});
const undo: () => void = chat.store.subscribe((state) => state.isOpen);
undo();

Chatbubble('open');
Chatbubble('ask', 'Hello?');
window.Chatbubble('on', 'error', ({ code, retryable }) => `${code} ${retryable ? 'again' : 'never'}`);
// @ts-expect-error -- no such verb
Chatbubble('dance');
// @ts-expect-error -- a function is needed
Chatbubble('on', 'open');

export function Shop() {
  const [handle, setHandle] = useState<Handle | null>(null);
  const { unread, isAnswering } = useChatStore(handle?.store);
  return (
    <>
      <button onClick={() => handle?.open()}>Help {unread + Number(isAnswering)}</button>
      <ChatBubble endpoint="https://shop.example/api/ai" title="Nell" onHandle={setHandle}
        onAnswer={({ text }) => text.trim()} />
      {/* @ts-expect-error -- where the server is has to be said */}
      <ChatBubble title="Nell" />
      {/* @ts-expect-error -- the detail of an answer is not a text */}
      <ChatBubble endpoint="/api/ai" onAnswer={(text: string) => text} />
    </>
  );
}
