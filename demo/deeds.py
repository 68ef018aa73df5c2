"""What the demo's managers did about a comment, wrote to the shopper, and wrote for themselves."""

from dataclasses import dataclass

from demo.comments import COMMENTS

GENERAL = "general"


@dataclass(frozen=True)
class Deed:
    """About one subject: the root cause's name, what was done, and what the shopper was told, by language."""

    cause: str
    action: dict[str, str]
    answer: dict[str, str]


def _deed(cause: str, en: tuple[str, str], de: tuple[str, str], uk: tuple[str, str]) -> Deed:
    by_language = {"en": en, "de": de, "uk": uk}
    return Deed(
        cause,
        action={language: action for language, (action, _answer) in by_language.items()},
        answer={language: answer for language, (_action, answer) in by_language.items()},
    )


DEEDS: dict[str, Deed] = {
    "wait": _deed(
        "Long wait or too few staff",
        ("Rota changed: one more person from 16:00 to closing, and a second till as soon as five people wait.",
         "I am sorry that you had to wait. From now on a second till opens as soon as five people wait."),
        ("Dienstplan geändert: von 16 Uhr bis Ladenschluss eine Person mehr, ab fünf Wartenden eine zweite Kasse.",
         "Es tut mir leid, dass Sie warten mussten. Ab sofort öffnen wir eine zweite Kasse, sobald fünf Leute warten."),
        ("Змінили графік: з 16:00 до закриття на одну людину більше, а друга каса відкривається, щойно чекає п'ятеро.",
         "Перепрошуємо, що довелося чекати. Відтепер друга каса відкривається, щойно чекає п'ятеро людей."),
    ),
    "staff": _deed(
        "Unfriendly or unhelpful service",
        ("Talked it through with the team; at the morning meeting we practised greeting and offering help.",
         "I am sorry: nobody should be treated like that here. I have talked with the team about it today."),
        ("Mit dem Team besprochen; in der Morgenrunde Begrüßen und Hilfe anbieten geübt.",
         "Das tut mir leid, so soll bei uns niemand behandelt werden. Ich habe heute mit dem Team darüber gesprochen."),
        ("Обговорили з командою; на ранковій зустрічі повторили, як вітатися й пропонувати допомогу.",
         "Нам дуже прикро: так із покупцями не поводяться. Сьогодні ми поговорили про це з командою."),
    ),
    "broken": _deed(
        "Product faulty or of poor quality",
        ("Boxes are opened and checked at the till; what is broken or missing is exchanged at once.",
         "I am sorry about this. Your replacement is at the till in your name; no need to bring anything."),
        ("Kartons werden an der Kasse geöffnet und geprüft; was kaputt ist oder fehlt, wird sofort umgetauscht.",
         "Das tut mir leid. Ihr Ersatz liegt an der Kasse auf Ihren Namen bereit, Sie brauchen nichts mitzubringen."),
        ("Коробки відкриваємо й перевіряємо на касі; розбите чи відсутнє міняємо одразу.",
         "Нам дуже прикро. Заміна чекає на вас на касі, нічого приносити не потрібно."),
    ),
    "quality": _deed(
        "Product faulty or of poor quality",
        ("The whole batch taken off sale and sent back to the supplier.",
         "That must not break so soon. Choose another piece or take your money back, as you like."),
        ("Die ganze Lieferung aus dem Verkauf genommen und an den Hersteller zurückgeschickt.",
         "So schnell darf das nicht kaputtgehen. Suchen Sie etwas anderes aus, oder Sie bekommen Ihr Geld zurück."),
        ("Усю партію зняли з продажу й повернули постачальникові.",
         "Так швидко це псуватися не мало. Оберіть іншу прикрасу або заберіть гроші, як вам зручніше."),
    ),
    "price": _deed(
        "Price or promotion not as shown",
        ("Price labels of the whole aisle checked against the till and reprinted.",
         "Thank you for telling us. What the shelf says is what you pay: the difference is waiting at the till."),
        ("Preisschilder des ganzen Gangs mit der Kasse verglichen und neu gedruckt.",
         "Danke für den Hinweis. Es gilt der Preis am Regal: Die Differenz liegt für Sie an der Kasse."),
        ("Звірили цінники всього ряду з касою й передрукували їх.",
         "Дякуємо, що сказали. Діє ціна на полиці: різницю ви можете забрати на касі."),
    ),
    "stock": _deed(
        "Product not available",
        ("What was out ordered in double quantity; stock shown online is now counted every morning.",
         "I am sorry for your way in vain. It arrives on Thursday, and I have put one aside for you."),
        ("Fehlende Artikel in doppelter Menge bestellt; der Bestand im Netz wird jetzt jeden Morgen gezählt.",
         "Es tut mir leid, dass Sie umsonst gekommen sind. Am Donnerstag kommt Ware, eins lege ich für Sie zurück."),
        ("Замовили те, чого бракувало, удвічі більше; залишки на сайті тепер звіряємо щоранку.",
         "Перепрошуємо, що ви приїхали даремно. Товар буде в четвер, один відкладемо для вас."),
    ),
    "fitting": _deed(
        "Store untidy, too hot or hard to get around",
        ("Fitting rooms cleaned, hook, lock and lamp replaced, check added to the hourly round.",
         "You are right, that was no state to leave a fitting room in. It is clean and repaired since this morning."),
        ("Umkleiden gereinigt, Haken, Schloss und Lampe ersetzt, Punkt in den stündlichen Rundgang aufgenommen.",
         "Sie haben recht, so darf keine Umkleide aussehen. Seit heute früh ist sie sauber und repariert."),
        ("Прибрали примірочні, замінили гачок, замок і лампу, додали пункт до щогодинного обходу.",
         "Ви маєте рацію, примірочна не може так виглядати. Від сьогодні там чисто й усе полагоджено."),
    ),
    "returns": _deed(
        "Return, exchange or repair",
        ("Went through the rules for returns with everybody: receipt and thirty days, then money back, kindly.",
         "You are right, this should not have happened. I have put the refund through today."),
        ("Rückgaberegeln mit allen durchgegangen: Kassenzettel und dreißig Tage, dann Geld zurück, und freundlich.",
         "Sie haben recht, das hätte nicht passieren dürfen. Die Erstattung habe ich heute veranlasst."),
        ("Повторили з усіма правила повернення: чек і тридцять днів, тоді гроші назад, і привітно.",
         "Ви маєте рацію, так не мало статися. Сьогодні ми оформили повернення грошей."),
    ),
    "order": _deed(
        "Delivery or online order",
        ("Parcels are scanned in on arrival; “ready” goes out only when one lies on the shelf.",
         "I am sorry for the way and the wait. Your parcel is here now; shall we bring it to your door?"),
        ("Pakete werden bei Ankunft gescannt; „abholbereit“ geht erst raus, wenn das Paket im Regal liegt.",
         "Weg und Warten tun mir leid. Ihr Paket ist jetzt da; sollen wir es Ihnen nach Hause bringen?"),
        ("Посилки скануємо одразу після прибуття; «готово» надсилаємо, лише коли посилка на полиці.",
         "Перепрошуємо за дорогу й чекання. Посилка вже тут; привезти її вам додому?"),
    ),
    "card": _deed(
        "Checkout, payment or receipt",
        ("A spare card terminal stands ready, and a sign for the door if both should fail.",
         "I am sorry. We should have told you at the door; there is a spare terminal and a sign now."),
        ("Ein Ersatzgerät für Kartenzahlung steht bereit und ein Schild für die Tür, falls beide ausfallen.",
         "Es tut mir leid, das hätte an der Tür stehen müssen. Jetzt gibt es ein Ersatzgerät und ein Schild."),
        ("Тримаємо запасний термінал і табличку на двері, якщо обидва не працюють.",
         "Перепрошуємо, про це мало бути сказано на дверях. Тепер є запасний термінал і табличка."),
    ),
    "voucher": _deed(
        "Checkout, payment or receipt",
        ("Vouchers: showed everybody at the till where the date stands and how to enter them.",
         "Your voucher is valid, of course. Please come again: it will be taken, and there is a gift on top."),
        ("Gutscheine: allen an der Kasse gezeigt, wo das Datum steht und wie man sie eingibt.",
         "Ihr Gutschein gilt natürlich. Kommen Sie bitte noch einmal: Er wird angenommen, ein Geschenk gibt es dazu."),
        ("Сертифікати: показали всім касирам, де дивитися дату і як їх вводити.",
         "Ваш сертифікат, звісно, дійсний. Приходьте ще раз: його приймуть, а подарунок буде від нас."),
    ),
    "wrapping": _deed(
        "Unfriendly or unhelpful service",
        ("An hour of wrapping practice for the team, and new paper and ribbon at the wrapping table.",
         "I am sorry. You get back what you paid for the wrapping, and we gladly wrap your gift again."),
        ("Eine Stunde Einpacken geübt; am Packtisch liegen jetzt neues Papier und Band.",
         "Es tut mir leid. Das Geld fürs Einpacken bekommen Sie zurück, und wir packen Ihr Geschenk gern neu ein."),
        ("Годину вчилися пакувати; на столі тепер новий папір і стрічки.",
         "Нам прикро. Гроші за пакування повернемо, а подарунок охоче запакуємо знову."),
    ),
    "music": _deed(
        "Store untidy, too hot or hard to get around",
        ("Music turned down to half, and off until noon on Tuesdays and Thursdays.",
         "Thank you for saying so. The music is at half its volume now."),
        ("Musik auf halbe Lautstärke gestellt, dienstags und donnerstags bis mittags ganz aus.",
         "Danke für den Hinweis. Die Musik läuft jetzt nur noch halb so laut."),
        ("Музику зробили вдвічі тихішою, а у вівторок і четвер до полудня її немає зовсім.",
         "Дякуємо, що сказали. Музика тепер удвічі тихіша."),
    ),
    "repair": _deed(
        "Return, exchange or repair",
        ("Every repair has a promised day now, and whoever waits longer is called before they ask.",
         "I am sorry that you had to ask. Your ring comes back from the workshop tomorrow."),
        ("Jede Reparatur hat jetzt einen zugesagten Tag; wer länger wartet, wird vorher angerufen.",
         "Es tut mir leid, dass Sie nachfragen mussten. Ihr Ring kommt morgen aus der Werkstatt zurück."),
        ("Кожен ремонт тепер має обіцяний день; якщо довше, телефонуємо першими.",
         "Перепрошуємо, що довелося питати. Ваша каблучка повернеться з майстерні завтра."),
    ),
    "candle": _deed(
        "Product faulty or of poor quality",
        ("These candles taken off the shelf; the supplier has been asked what is in them.",
         "I am sorry that you felt unwell. The candles are off the shelf, and you get your money back."),
        ("Diese Kerzen aus dem Regal genommen und den Hersteller nach den Inhaltsstoffen gefragt.",
         "Es tut mir leid, dass Ihnen davon schlecht wurde. Die Kerzen sind weg, Ihr Geld bekommen Sie zurück."),
        ("Ці свічки зняли з полиці й запитали виробника про склад.",
         "Нам шкода, що вам стало зле. Свічки вже зняли з полиці, гроші повернемо."),
    ),
    "lift": _deed(
        "Store untidy, too hot or hard to get around",
        ("The lift is repaired; until then a colleague carried prams, and a bell hung at the stairs.",
         "I am sorry for the trouble. The lift works again."),
        ("Der Aufzug ist repariert; bis dahin gab es an der Treppe eine Klingel und tragende Hände.",
         "Die Mühe tut mir leid. Der Aufzug fährt wieder."),
        ("Ліфт полагодили; доти біля сходів був дзвінок і допомога з візочками.",
         "Перепрошуємо за незручності. Ліфт знову працює."),
    ),
    "room": _deed(
        "Store untidy, too hot or hard to get around",
        ("One row of shelves taken out, and signs put up to every department.",
         "Thank you for saying so. There is one row of shelves less now, and signs to every department."),
        ("Eine Regalreihe herausgenommen und Schilder zu allen Abteilungen aufgehängt.",
         "Danke für den Hinweis. Wir haben jetzt eine Regalreihe weniger und Schilder zu allen Abteilungen."),
        ("Прибрали один ряд полиць і повісили вказівники до кожного відділу.",
         "Дякуємо, що сказали. Тепер на ряд полиць менше, а до кожного відділу є вказівник."),
    ),
    "conduct": _deed(
        "Safety or conduct",
        ("Reported to head office the same day; everybody involved heard and witnesses written down.",
         "I am shocked and very sorry. Head office knows, and I would like to hear from you in person what happened."),
        ("Am selben Tag der Zentrale gemeldet, alle Beteiligten angehört, Zeugen notiert.",
         "Das erschreckt mich und tut mir sehr leid. Die Zentrale weiß es; erzählen Sie mir bitte, was geschehen ist."),
        ("Того ж дня повідомили центральний офіс, вислухали всіх причетних, записали свідків.",
         "Нам дуже прикро, так не мало статися. Центральний офіс знає; ми хочемо почути від вас, що сталося."),
    ),
    "shelf": _deed(
        "Safety or conduct",
        ("Shelf taken down at once; all others in the store checked and anchored to the wall.",
         "I am very sorry that somebody was hurt. All shelves are anchored now; our insurance will pay."),
        ("Regal sofort abgebaut, alle anderen im Laden geprüft und in der Wand verankert.",
         "Es tut mir sehr leid, dass jemand verletzt wurde. Alle Regale sind verankert; unsere Versicherung zahlt."),
        ("Полицю одразу розібрали, усі інші перевірили й закріпили до стіни.",
         "Нам дуже шкода, що хтось постраждав. Усі полиці тепер закріплені; витрати відшкодує наша страхова."),
    ),
    "charged": _deed(
        "Checkout, payment or receipt",
        ("The second payment found with the bank and returned; the terminal has been replaced.",
         "I am sorry that nobody answered. The second payment is on its way back to you."),
        ("Zweite Abbuchung mit der Bank gefunden und zurückgebucht; das Kartengerät ist ausgetauscht.",
         "Es tut mir leid, dass niemand geantwortet hat. Die zweite Abbuchung ist schon zurückgebucht."),
        ("Разом із банком знайшли другий платіж і повернули його; термінал замінили.",
         "Перепрошуємо, що ніхто не відповів. Другий платіж уже повертається до вас."),
    ),
    "phone": _deed(
        "Long wait or too few staff",
        ("Two more people on the line from 16:00 on; whoever is cut off is rung back.",
         "I am sorry for the long wait. From now on we ring back whoever is cut off."),
        ("Ab 16 Uhr zwei Leute mehr am Telefon; wer aus der Leitung fällt, wird zurückgerufen.",
         "Die lange Warteschleife tut mir leid. Wer aus der Leitung fällt, wird ab jetzt zurückgerufen."),
        ("З 16:00 на лінії двоє людей більше; якщо зв'язок обірвався, передзвонюємо.",
         "Перепрошуємо за довге чекання. Відтепер передзвонюємо, якщо зв'язок обірвався."),
    ),
    "records": _deed(
        "Wrong advice or information",
        ("Orders and notes of earlier calls are on the screen before the call is taken.",
         "I am sorry that we could not help at once. I have looked into your order myself and will call you today."),
        ("Bestellungen und Notizen früherer Anrufe stehen jetzt auf dem Bildschirm, bevor abgehoben wird.",
         "Es tut mir leid, dass wir nicht gleich helfen konnten. Ich sehe selbst nach und rufe Sie heute an."),
        ("Замовлення й нотатки попередніх дзвінків тепер на екрані ще до розмови.",
         "Перепрошуємо, що не допомогли одразу. Ми все перевіримо й зателефонуємо вам сьогодні."),
    ),
    GENERAL: _deed(
        "Outside our control",
        ("Read out at the morning meeting; each of us names one thing to do better this week.",
         "Thank you for telling us, and I am sorry. May we make it up to you on your next visit?"),
        ("In der Morgenrunde vorgelesen; alle nennen eine Sache, die sie diese Woche besser machen.",
         "Danke, dass Sie uns das sagen, es tut mir leid. Dürfen wir es beim nächsten Besuch wiedergutmachen?"),
        ("Прочитали на ранковій зустрічі; кожен назвав одну річ, яку цього тижня зробить краще.",
         "Дякуємо, що написали, і перепрошуємо. Дозвольте виправитися, коли завітаєте знову."),
    ),
}  # fmt: skip
NOTES: dict[str, list[str]] = {
    "en": [
        "Prefers to be called after six.",
        "Regular customer, knew the receipt by heart.",
        "Was glad about the call.",
    ],
    "de": ["Bitte erst nach 18 Uhr anrufen.", "Stammkundin.", "Hat sich über den Anruf gefreut."],
    "uk": ["Просить дзвонити після шостої.", "Постійна покупчиня.", "Зраділа дзвінку."],
}
# The subject of each comment, in the order of the comments.
SUBJECTS: dict[str, dict[str, str]] = {
    "en": {
        "bad": "wait broken stock staff price fitting returns quality staff order returns music broken wait card "
        "repair wrapping",
        "mixed": "wait wait general price price lift room room general stock",
        "alarm": "conduct shelf conduct charged",
        "call_bad": "phone records records",
    },
    "de": {
        "bad": "wait staff broken price stock fitting quality staff order wrapping staff card returns music voucher "
        "repair candle",
        "mixed": "wait wait general price stock price lift room general room",
        "alarm": "conduct shelf conduct charged",
        "call_bad": "phone records records",
    },
    "uk": {
        "bad": "wait staff broken price stock fitting quality staff order wrapping general card returns music voucher "
        "repair candle",
        "mixed": "wait wait general price stock price lift room general room",
        "alarm": "conduct shelf conduct charged",
        "call_bad": "phone records records",
    },
    "pl": {
        "bad": "wait broken staff price fitting",
        "mixed": "wait price price",
        "alarm": "conduct",
        "call_bad": "phone",
    },
    "fr": {"bad": "wait broken staff price stock", "mixed": "wait general price", "alarm": "conduct"},
    "ar": {
        "bad": "wait staff broken price fitting",
        "mixed": "wait price price",
        "alarm": "conduct",
        "call_bad": "phone",
    },
}
_SUBJECT_OF = {
    text: subject
    for language, moods in SUBJECTS.items()
    for mood, subjects in moods.items()
    for text, subject in zip(COMMENTS[language][mood], subjects.split(), strict=True)
}


def deed_about(words: str) -> Deed:
    """What goes with a comment; without words, or for praise, what fits everything."""
    return DEEDS[_SUBJECT_OF.get(words, GENERAL)]
