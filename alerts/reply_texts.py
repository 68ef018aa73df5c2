"""The replies that a new chain starts with; head office makes them its own at `/setup/templates/`."""

from alerts.models import ReplyTemplate, ReplyText

# topic → language → (title, text)
_Texts = dict[str, tuple[str, str]]

_GENERAL: _Texts = {
    "en": (
        "Sorry, we look into it",
        "Hello {name},\n\nthank you for telling us. I am sorry that your visit to {store} was not as it should have "
        "been. I am looking into it myself. You will hear from me by {time}.\n\n{manager}\n{store}",
    ),
    "de": (
        "Entschuldigung, wir kümmern uns",
        "Guten Tag {name},\n\ndanke, dass Sie es uns sagen. Es tut mir leid, dass Ihr Besuch bei {store} nicht so war, "
        "wie er hätte sein sollen. Ich kümmere mich selbst darum. Sie hören bis {time} von mir.\n\n{manager}\n{store}",
    ),
    "uk": (
        "Вибачте, ми розбираємося",
        "Вітаємо {name},\n\nдякуємо, що сказали нам. Мені прикро, що ваш візит до {store} був не таким, яким мав бути. "
        "Я особисто розбираюся з цим. Я зв’яжуся з вами до {time}.\n\n{manager}\n{store}",
    ),
    "ar": (
        "نعتذر، سننظر في الأمر",
        "مرحباً {name}،\n\nشكراً لأنك أخبرتنا. أعتذر لأن زيارتك إلى {store} لم تكن كما ينبغي. سأتابع الأمر بنفسي. "
        "سأعود إليك قبل {time}.\n\n{manager}\n{store}",
    ),
    "fr": (
        "Désolé, nous nous en occupons",
        "Bonjour {name},\n\nmerci de nous l’avoir dit. Je regrette que votre visite chez {store} n’ait pas été comme "
        "elle aurait dû être. Je m’en occupe personnellement. Je reviens vers vous avant {time}.\n\n{manager}\n{store}",
    ),
    "es": (
        "Lo sentimos, lo estamos viendo",
        "Hola {name}:\n\ngracias por decírnoslo. Lamento que su visita a {store} no haya sido como debía. Me ocupo "
        "personalmente. Le responderé antes de las {time}.\n\n{manager}\n{store}",
    ),
    "pl": (
        "Przepraszamy, zajmujemy się tym",
        "Dzień dobry {name},\n\ndziękujemy za tę wiadomość. Przykro mi, że wizyta w {store} nie była taka, jak "
        "powinna. Zajmuję się tym osobiście. Odezwę się do {time}.\n\n{manager}\n{store}",
    ),
}
_WAITING: _Texts = {
    "en": (
        "Sorry for the wait",
        "Hello {name},\n\nyou had to wait too long at {store}, and I am sorry for that. I have spoken with the team "
        "about how we open more tills when it gets busy. If you come by again, please ask for me.\n\n{manager}",
    ),
    "de": (
        "Entschuldigung für die Wartezeit",
        "Guten Tag {name},\n\nSie mussten bei {store} zu lange warten, das tut mir leid. Ich habe mit dem Team "
        "besprochen, wie wir bei Andrang mehr Kassen öffnen. Wenn Sie wiederkommen, fragen Sie gern nach mir."
        "\n\n{manager}",
    ),
    "uk": (
        "Вибачте за очікування",
        "Вітаємо {name},\n\nвам довелося надто довго чекати в {store}, і мені прикро. Ми обговорили в команді, як "
        "відкривати більше кас у години пік. Коли завітаєте знову, запитайте мене.\n\n{manager}",
    ),
    "ar": (
        "نعتذر عن الانتظار",
        "مرحباً {name}،\n\nاضطررت إلى الانتظار طويلاً في {store}، وأعتذر عن ذلك. تحدثت مع الفريق عن فتح صناديق إضافية "
        "عند الازدحام. إذا زرتنا مرة أخرى فاسأل عني من فضلك.\n\n{manager}",
    ),
}
_STAFF: _Texts = {
    "en": (
        "Sorry for how you were treated",
        "Hello {name},\n\nthis is not how we want to treat anybody at {store}. I am sorry. I have spoken with my "
        "colleagues about it. May I ask what would put it right for you?\n\n{manager}",
    ),
    "de": (
        "Entschuldigung für die Behandlung",
        "Guten Tag {name},\n\nso wollen wir bei {store} mit niemandem umgehen. Es tut mir leid. Ich habe mit meinen "
        "Kolleginnen und Kollegen darüber gesprochen. Was würde es für Sie wieder gutmachen?\n\n{manager}",
    ),
    "uk": (
        "Вибачте за таке ставлення",
        "Вітаємо {name},\n\nмає бути не так: у {store} ми не хочемо так ставитися ні до кого. Мені прикро. Ми "
        "поговорили про це з колегами. Що ми можемо зробити, щоб це виправити?\n\n{manager}",
    ),
    "ar": (
        "نعتذر عن طريقة التعامل",
        "مرحباً {name}،\n\nليست هذه الطريقة التي نريد أن نعامل بها أحداً في {store}. أعتذر. تحدثت مع زملائي في ذلك. "
        "ما الذي يصلح الأمر بالنسبة إليك؟\n\n{manager}",
    ),
}
_QUALITY: _Texts = {
    "en": (
        "Something is faulty: bring it in",
        "Hello {name},\n\nI am sorry that it did not last as it should. Please bring it to {store}: we exchange it, "
        "repair it or give your money back, as you prefer. Ask for me and it will not take long.\n\n{manager}",
    ),
    "de": (
        "Etwas ist fehlerhaft: bitte bringen",
        "Guten Tag {name},\n\nes tut mir leid, dass es nicht gehalten hat, was es sollte. Bitte bringen Sie es zu "
        "{store}: Wir tauschen es um, reparieren es oder geben Ihnen das Geld zurück, wie Sie möchten. Fragen Sie "
        "nach mir, dann geht es schnell.\n\n{manager}",
    ),
    "uk": (
        "Щось несправне: принесіть, будь ласка",
        "Вітаємо {name},\n\nмені прикро, що річ не виправдала очікувань. Принесіть її, будь ласка, до {store}: ми "
        "обміняємо, відремонтуємо або повернемо гроші, як вам зручніше. Запитайте мене, і це буде швидко.\n\n{manager}",
    ),
}
_CHECKOUT: _Texts = {
    "en": (
        "Something was charged wrongly",
        "Hello {name},\n\nthank you for noticing. If {store} has charged you wrongly, you get the difference back at "
        "once: show me the receipt at the till, or write here how we can reach you.\n\n{manager}",
    ),
    "de": (
        "Falsch abgerechnet",
        "Guten Tag {name},\n\ndanke, dass Sie es bemerkt haben. Wenn {store} falsch abgerechnet hat, erhalten Sie die "
        "Differenz sofort zurück: Zeigen Sie mir den Bon an der Kasse, oder schreiben Sie hier, wie wir Sie erreichen."
        "\n\n{manager}",
    ),
    "uk": (
        "Неправильно порахували",
        "Вітаємо {name},\n\nдякуємо, що помітили. Якщо в {store} вам порахували неправильно, ми одразу повернемо "
        "різницю: покажіть мені чек на касі або напишіть тут, як з вами зв’язатися.\n\n{manager}",
    ),
}
_NOT_REACHED: _Texts = {
    "en": (
        "Tried to reach you",
        "Hello {name},\n\nI have tried to reach you about what you told {store} and did not get through. When does it "
        "suit you? Please write it here, and I will try again.\n\n{manager}",
    ),
    "de": (
        "Nicht erreicht",
        "Guten Tag {name},\n\nich habe versucht, Sie wegen Ihrer Nachricht an {store} zu erreichen, leider vergeblich. "
        "Wann passt es Ihnen? Bitte schreiben Sie es hier, dann versuche ich es noch einmal.\n\n{manager}",
    ),
    "uk": (
        "Не вдалося додзвонитися",
        "Вітаємо {name},\n\nми намагалися зв’язатися з вами щодо вашого відгуку про {store}, але не вдалося. Коли вам "
        "зручно? Напишіть, будь ласка, тут, і я спробую ще раз.\n\n{manager}",
    ),
    "ar": (
        "حاولنا الوصول إليك",
        "مرحباً {name}،\n\nحاولت الوصول إليك بشأن ما أخبرت به {store} ولم أتمكن من ذلك. ما الوقت المناسب لك؟ اكتبه هنا "
        "من فضلك وسأحاول مرة أخرى.\n\n{manager}",
    ),
}
_FIRST = (
    ("", _GENERAL),
    ("waiting", _WAITING),
    ("staff", _STAFF),
    ("quality", _QUALITY),
    ("checkout", _CHECKOUT),
    ("", _NOT_REACHED),
)


def ensure_replies() -> None:
    """Add the first replies; what is there is left as it is."""
    if ReplyTemplate.objects.exists():
        return
    for order, (topic, texts) in enumerate(_FIRST, start=1):
        template = ReplyTemplate.objects.create(topic=topic, order=order * 10)
        ReplyText.objects.bulk_create(
            ReplyText(template=template, language=language, title=title, text=text)
            for language, (title, text) in texts.items()
        )
