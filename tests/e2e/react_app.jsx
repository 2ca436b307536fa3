// A shop in React, for test_react.py: what it shows can be changed by `shop`.

import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { ChatBubble, useChatStore } from './react.mjs';

const root = createRoot(document.querySelector('main'));

function Shop({ endpoint, isThere, ...props }) {
  const [handle, setHandle] = useState(null);
  const { isOpen, isAnswering, messages, unread } = useChatStore(handle?.store);
  const last = messages.at(-1)?.text ?? '';
  return (
    <>
      <button onClick={() => handle.open()} disabled={!handle}>Help</button>
      <p>{isOpen ? 'open' : 'closed'}, {isAnswering ? 'answering' : 'calm'}, {unread} unread: {last}</p>
      {isThere && <ChatBubble endpoint={endpoint} onHandle={setHandle} {...props} />}
    </>
  );
}

window.told = [];
window.shop = ({ isStrict, ...props }) => {
  const shop = <Shop isThere onAnswer={({ text }) => window.told.push(`${props.title ?? ''}: ${text}`)} {...props} />;
  root.render(isStrict ? <StrictMode>{shop}</StrictMode> : shop);
};
