"""What can be asked in the demo shop, and the words by which each question is recognised.

A keyword is one word (`card`), a stem (`deliver*`), a phrase (`opening hours`), or any
run of characters outside ASCII (`运费`, `📦`), which is looked for anywhere: Chinese
is written without spaces. One strong keyword or three weak ones make a topic fit; of
topics that fit equally well the first one is meant. The answers are in `demo_english`
and `demo_chinese`.
"""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """One thing to ask about: its name, and its keywords with commas between them."""

    name: str
    strong: str
    weak: str = ""


TOPICS = (
    Topic(
        "returns",
        "return*, refund*, exchang*, send back, send it back, money back, 退货, 退款, 退换, 换货, 退貨, 退換, 換貨",
        "wrong, too small, too big, changed my mind, 不合适, 太小, 太大, 退",
    ),
    Topic(
        "shipping",
        "ship*, deliver*, postage, courier, dispatch*, 运费, 配送, 发货, 快递, 邮费, 送货, 寄, 物流, 包邮,"
        "運費, 發貨, 快遞, 🚚, 📦",
        "how long, how much, cost*, free, arrive*, abroad, post, germany, france, europe, eu, usa, america, canada,"
        "china, japan, australia, 多久, 多少钱, 多少錢, 几天, 多长时间, 海外, 国外, 中国, 美国, 日本, 欧洲, 德国",
    ),
    Topic(
        "order",
        "my order, my parcel, my package, track*, order number, 我的订单, 订单号, 查订单, 包裹, 取消订单",
        "order, parcel, package, where is, status, arrive*, cancel*, 订单, 到哪, 取消",
    ),
    Topic(
        "care",
        "wash*, clean*, reproof*, proofing, waterproof again, take care of, tumble, 洗, 清洁, 保养, 防水处理",
        "dirty, mud*, iron, jacket, wool, 泥, 羊毛",
    ),
    Topic(
        "repairs",
        "repair*, mend*, broken, broke, torn, ripped, zip, warranty, guarantee*,"
        "维修, 修补, 修理, 保修, 坏了, 破了, 維修",
        "fix, hole, tear, sole, jacket, boots, 拉链, 破",
    ),
    Topic(
        "sizes",
        "size*, sizing, what size, size guide, measure*, chest, waist,"
        "尺码, 尺寸, 码数, 多大码, 穿多大, 尺碼, 什么码, 📏",
        "fit, fits, cm, tall, large, small, medium, xs, xl, xxl, kg, 大小, 大码, 小码, 身高, 胸围, 腰围, 合身",
    ),
    Topic(
        "gifts",
        "gift*, voucher*, a present, birthday, 礼物, 礼品, 礼盒, 礼券, 送人, 禮物, 🎁",
        "wrap*, card, friend, 包装, 生日",
    ),
    Topic(
        "discount",
        "discount*, discount code, promo*, coupon*, on sale, sales, student*, 折扣, 优惠, 打折, 促销, 学生, 優惠",
        "code, cheap*, offer*, 便宜",
    ),
    Topic(
        "payment",
        "pay*, credit card*, debit card*, visa, mastercard, amex, paypal, apple pay, google pay, invoice*, vat,"
        "支付, 付款, 付钱, 信用卡, 支付宝, 微信付, 发票, 💳",
        "card*, cash, money, accept*, take, currency, 刷卡, 现金",
    ),
    Topic(
        "embed",
        "embed*, install*, script tag, widget, snippet, integrat*, my site, my website, my page, my shop, html,"
        "flask app, 嵌入, 安装, 代码, 集成, 我的网站, 网页",
        "script, code, add, use, put, javascript, python, website, 网站",
    ),
    Topic(
        "formatting",
        "markdown, format*, show me everything, headings, 格式, 排版",
        "table, code, list, bold, render*, 表格, 列表",
    ),
    Topic(
        "demo",
        "demo*, robot, bot, chatbot, who are you, what are you, are you human, are you a human, are you real,"
        "are you a real person, are you an ai, gpt, chatgpt, openai, api key, llm, which model, what model,"
        "演示, 机器人, 你是谁, 真人吗, 什么模型, 大模型, 機器人, 🤖",
        "ai, model, human, real, 人工智能, 模型",
    ),
    Topic(
        "story",
        "story, about the shop, about your shop, about larkmoor, long answer, long text, 故事, 你们的历史, 长一点的",
        "tell me, founded, began, larkmoor, 创立, 介绍",
    ),
    Topic(
        "packing",
        "packing, packing list, what to pack, should i pack, should i take, should i bring, should i wear, checklist,"
        "recommend*, rainy, 清单, 穿什么, 带什么, 推荐, 徒步, 🏔, ⛰",
        "rain, walk, walking, hike, hiking, hill, wear, bring, list, weekend, day, 下雨, 雨天, 爬山, 🌧",
    ),
    Topic(
        "hours",
        "opening hours, opening times, hours, open, opens, close, closes, closed, closing,"
        "营业, 开门, 关门, 几点, 开店, 營業, 開門, 關門, 🕙",
        "when, what time, visit, today, tomorrow, now, monday, tuesday, wednesday, thursday, friday, saturday, sunday,"
        "weekend, shop, holiday*, 周末, 星期, 周日, 周六, 周一, 今天, 明天, 时间",
    ),
    Topic(
        "contact",
        "contact*, phone*, telephone, email, e mail, call you, ring you, your address, where are you, find you,"
        "located, talk to a human, speak to a human, a real person, to someone, someone i can, get in touch,"
        "联系, 电话, 地址, 邮箱, 邮件, 人工客服, 转人工, 聯繫, 電話, ☎, 📞",
        "human, person, visit, where, shop, number, address, location, 在哪, 哪里, 门店, 客服",
    ),
    Topic(
        "emoji",
        "emoji*, smiley*, 表情, 颜文字",
    ),
    Topic(
        "products",
        "products, what do you sell, what do you have, catalog*, jacket*, jumper*, sweater*, boot, boots, shoes,"
        "daypack*, backpack*, rucksack*, mug*, flask, flasks, bottle*, sock*, lantern*, your prices,"
        "商品, 产品, 卖什么, 外套, 夹克, 雨衣, 毛衣, 靴, 鞋, 背包, 杯, 水壶, 袜, 提灯, 產品, 🧥, 🧦, 🎒, 🥾",
        "product, sell, buy, price, cost*, how much, stock, new, shop, 买, 卖, 多少钱, 价格",
    ),
)

# Looked at only for a short message in which nothing above was found.
SMALL_TALK = (
    Topic("thanks", "thank*, thx, cheers, 谢, 謝, 🙏, 👍, ❤, 😊"),
    Topic("goodbye", "bye*, goodbye, see you, see ya, good night, 再见, 拜拜, 晚安, 再見"),
    Topic(
        "greeting",
        "hello, hi, hey, hiya, good morning, good afternoon, good evening, help, what can you do, what can i ask,"
        "你好, 您好, 早上好, 下午好, 晚上好, 在吗, 嗨, 哈喽, 帮助, 帮我, 你会什么, 👋, 🙂, 😀, 😄",
    ),
)
