"""What the demo provider says in English: topic name -> Markdown. The facts are those of the demo site."""

ENGLISH = {
    "hours": """\
Our shop in Hathersby is open:

| Day | Hours |
|---|---|
| Monday | closed |
| Tuesday to Friday | 10:00–18:00 |
| Saturday | 9:00–17:30 |
| Sunday | 11:00–16:00 |

On bank holidays we are there from 11:00 to 16:00. This website, of course, **never closes**. 🌙""",
    "returns": """\
You have **60 days** to send anything back, unworn and with its labels on [1]:

1. Print the free label from your order email (free within the UK).
2. Put everything back into its box. The old one is fine.
3. Hand it in at any post office and keep the slip.

The money is back on your card **within 5 working days** after the parcel reaches us. Exchanging a size costs nothing. \
Worn it already, and it failed? Then it is a [repair](/delivery#repairs), and we mend it [2].

The fine print, such as it is: [Delivery & returns](/delivery#returns).""",
    "shipping": """\
Everything leaves our workshop tracked, in a paper parcel [1]:

| Region | Time | Price |
|---|---|---:|
| United Kingdom | 2–3 working days | £3.95 |
| United Kingdom, next day | ordered before 14:00 | £6.95 |
| Ireland & EU | 4–6 working days | £9.50 |
| USA & Canada | 6–9 working days | £14.00 |
| Rest of the world | 8–12 working days | £18.00 |

Standard delivery is **free over £75** in the UK and over £150 in Ireland and the EU. \
Duties to the EU are included. Islands and military addresses pay the same [2]. \
More under [Delivery & returns](/delivery).""",
    "order": """\
I cannot look into real orders: this is a demo, and the shop is a pretend one. In a real shop you would read here:

- **where it is**: the tracking link is in the email *"Your parcel is on its way"*;
- **how to change it**: until 14:00 on the day of your order, by replying to the confirmation;
- **how to cancel it**: any time before it leaves, and you pay nothing.""",
    "sizes": """\
Our jackets and jumpers are cut to go over one warm layer. Measure over a shirt, in centimetres:

| Size | Chest | Waist | Sleeve |
|---|---|---|---|
| XS | 84–89 | 68–73 | 80 |
| S | 90–95 | 74–79 | 82 |
| M | 96–101 | 80–85 | 84 |
| L | 102–108 | 86–92 | 86 |
| XL | 109–116 | 93–100 | 88 |
| XXL | 117–124 | 101–108 | 90 |

Between two sizes? Take the **larger** one for the hill and the smaller one for town. \
Boots have a table of their own in the [size guide](/size-guide#boots).""",
    "payment": """\
You can pay with:

- Visa, Mastercard and American Express
- PayPal, Apple Pay and Google Pay
- Alipay and WeChat Pay
- a Larkmoor gift voucher

We charge you **when the parcel leaves**, not before. All prices include VAT, and the invoice comes by email.""",
    "contact": """\
A person answers, Tuesday to Saturday from 10:00 to 17:00:

- **Email**: [hello@larkmoor.example](mailto:hello@larkmoor.example)
- **Phone**: [01632 960 148](tel:+441632960148)
- **Shop**: 12 Weir Lane, Hathersby ([how to find us](/about#find-us))

Letters are read too, usually over tea. ☕""",
    "products": """\
We make eight things and keep at them until they are right:

- [Drumlin rain jacket](/shop/drumlin-rain-jacket), £149
- [Corrie wool jumper](/shop/corrie-wool-jumper), £84
- [Fell walking boots](/shop/fell-walking-boots), £165
- [Cairn daypack](/shop/cairn-daypack), £95
- [Tarn flask](/shop/tarn-flask), £28
- [Bothy mug](/shop/bothy-mug), £14
- [Peat socks](/shop/peat-socks), £18
- [Ember lantern](/shop/ember-lantern), £42

They are all in [the shop](/shop), with drawings.""",
    "packing": """\
For a day in the hills that *might* turn wet:

- **To wear**
  - a wool layer, such as the [Corrie jumper](/shop/corrie-wool-jumper)
  - boots that know your feet
  - [Peat socks](/shop/peat-socks), and a dry pair for the way home
- **In the daypack**
  - the [rain jacket](/shop/drumlin-rain-jacket), on top, where you find it blind
  - a map, and a phone that is fully charged
  - something warm to drink and more to eat than you need
- **In your head**
  - the forecast
  - the hour when you will turn round, whatever happens 🏔️""",
    "care": """\
A rain jacket wants washing more often than people think:

1. Close all the zips and empty the pockets.
2. Wash at **30 °C** with liquid soap. *Never* use softener: it stops the fabric from breathing.
3. Rinse twice, then dry it on a hanger.
4. When drops no longer roll off, proof it again and iron it on the lowest setting.

Wool is easier: air it overnight, wash it cold by hand, and dry it flat.""",
    "repairs": """\
> If we made it, we mend it, however old it is.

Zips, seams, straps and soles: for the first **3 years** that is free, after that it costs a flat £12 plus postage. \
Send it clean, with a note on what happened. We like the stories. \
See [Repairs](/delivery#repairs).""",
    "gifts": """\
A present? Lovely. 🎁

- **Wrapping**: brown paper, green string and a card in your words, £3.
- **Vouchers**: from £10, by email at once or by post on thick paper. They do not expire.
- **Wrong size?** Whoever you gave it to can exchange it for 60 days and never sees the price.""",
    "discount": """\
We have no sales and no codes: the price is the same fair one all year. Two exceptions:

- **Students and mountain rescue** get 10 % off. Write to [hello@larkmoor.example](mailto:hello@larkmoor.example).
- **Seconds** with a crooked seam are on the rail by the door of the shop, up to 40 % off.""",
    "embed": """\
Paste one tag before `</body>`, and the bubble is there:

```html
<script async src="https://chat.example.com/api/ai/widget.js"
        data-title="Larkmoor"
        data-accent="#2f5d50"></script>
```

The backend is three lines in any Flask app:

```python
from chatbubble import Chatbubble

Chatbubble(app)
```

Then allow your site with `CHATBUBBLE_ALLOWED_ORIGINS=https://www.example.com`, and that is all.""",
    "demo": """\
I am a **demo** 🤖: no person and no language model either, just a few prepared answers \
about a shop that does not exist.

To put a real model behind this bubble, stop the server and start it with a key:

```sh
OPENAI_API_KEY=sk-... make run
```

Any address that speaks the OpenAI protocol will do: set `OPENAI_BASE_URL`, \
and the model's name in `CHATBUBBLE_MODEL`.""",
    "formatting": """\
## All that an answer can hold

**Bold**, *italic*, ~~struck out~~, `code`, and a [link](/shop).

### A list

1. First
2. Second
   - with a point below it
   - and another
3. Third

### A quotation

> There is no bad weather.
> There is only the other jacket.

### A table

| Left | Middle | Right |
|:---|:---:|---:|
| drizzle | 🌦️ | 1 mm |
| downpour | 🌧️ | 20 mm |

### Code

```python
def pack(weather: str) -> list[str]:
    return ["map", "flask"] + (["jacket"] if weather != "dry" else [])
```

---

That was all.""",
    "emoji": """\
With pleasure: 🥾 🏔️ 🌧️ ☕ 🧦 🎒

Even the difficult ones arrive in one piece: a family 👨‍👩‍👧‍👦, a climber 🧗🏽‍♀️, a flag 🏴󠁧󠁢󠁳󠁣󠁴󠁿, \
two more 🇨🇳🇪🇺, a heart on fire ❤️‍🔥 and a key 1️⃣.""",
    "story": """\
### How Larkmoor began

In the wet spring of 1987 Ada Larkin walked over Hather Moor in a jacket that promised to be waterproof. It was not. \
She came home with the moor in both sleeves, hung the thing over the stove, and took it apart with her grandmother's \
seam ripper to see what had gone wrong. Everything had: the tape, the thread, the idea.

She sewed the first of her own over that summer, on the kitchen table, from tent cloth and the zip of a kit bag. \
It was green, because the cloth was, and a little too long, because she had measured in a hurry. \
It kept out the rain. A neighbour asked for one, then the postman, then the postman's sister in Leith.

By the third winter the kitchen was too small. The old ferry house in **Weir Lane** stood empty: cold, crooked, \
and with a window that looks straight at the weather. Four people moved in with six machines. \
They agreed on three rules and wrote them on the wall, where they still are:

1. Make few things.
2. Make them so that they can be mended.
3. Go out in them yourself, *especially* when it rains.

The boots came later, when old Mr Tarrant closed his workshop across the river and brought over his lasts in a \
wheelbarrow. The mugs came by accident: the enameller had misread the number, and two hundred of them arrived \
instead of two. They sold out by Christmas.

Today eleven people work here, and one dog. Some two thousand parcels a year leave the ferry house, and some three \
hundred jackets come back, torn by gates, dogs and one remarkably stubborn goat. Each of them is mended by the person \
who made it. The oldest is green and a little too long. It still keeps out the rain.

There is a drawing of the house on our [about page](/about). (None of this is true, by the way: it is a demo. 🙂)""",
    "greeting": """\
Hello, and welcome to Larkmoor! 👋 I am the demo assistant, and these I can answer:

- opening hours and how to reach us
- delivery, returns and repairs
- sizes, payment and presents
- what to pack for a wet day
- how to put this bubble on your own site

What would you like to know?""",
    "thanks": "You are very welcome! 😊 If anything else comes up, I am right here.",
    "goodbye": "Goodbye, and dry feet! 🥾",
    "fallback": """\
I have no answer to that: this is a **demo**, with a few prepared answers and no language model behind it.

I do know about our *opening hours, delivery, returns, sizes, payment, repairs* and *what to pack*. \
For everything else, start the server with a key, and a real model answers:

```sh
OPENAI_API_KEY=sk-... make run
```""",
}
