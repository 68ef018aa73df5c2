"""What the demo's managers wrote: to the shopper, about what was done, and for themselves."""

ANSWERS: dict[str, list[str]] = {
    "en": [
        "Thank you for telling us, and I am sorry. I have spoken with the team: from now on a second till opens as "
        "soon as five people wait.",
        "I am sorry about this. Your replacement is at the till in your name; no need to bring anything.",
        "You are right, this should not have happened. May we make it up to you? I have put the refund through today.",
    ],
    "de": [
        "Danke, dass Sie uns das sagen, es tut mir leid. Ich habe mit dem Team gesprochen: Ab sofort öffnen wir eine "
        "zweite Kasse, sobald fünf Leute warten.",
        "Das tut mir leid. Ihr Ersatz liegt an der Kasse auf Ihren Namen bereit, Sie brauchen nichts mitzubringen.",
        "Sie haben recht, das hätte nicht passieren dürfen. Die Erstattung habe ich heute veranlasst.",
    ],
    "uk": [
        "Дякую, що написали, і перепрошую. Ми поговорили з командою: відтепер друга каса відкривається, щойно чекає "
        "п'ятеро людей.",
        "Мені дуже прикро. Заміна чекає на вас на касі, нічого приносити не потрібно.",
        "Ви маєте рацію, так не мало статися. Сьогодні я оформила повернення грошей.",
    ],
}
ACTIONS: dict[str, list[str]] = {
    "en": [
        "Till rota changed: two open from 16:00 to closing.",
        "Shelf labels of the whole aisle checked and reprinted.",
        "Talked it through with the colleague; greeting practised at the morning meeting.",
        "Fitting rooms cleaned, hooks replaced, check added to the hourly round.",
    ],
    "de": [
        "Kassenplan geändert: von 16 Uhr bis Ladenschluss sind zwei besetzt.",
        "Preisschilder des ganzen Gangs geprüft und neu gedruckt.",
        "Mit der Kollegin besprochen, Begrüßung in der Morgenrunde geübt.",
        "Umkleiden gereinigt, Haken ersetzt, Punkt in den stündlichen Rundgang aufgenommen.",
    ],
    "uk": [
        "Змінили графік кас: з 16:00 до закриття працюють дві.",
        "Перевірили й передрукували цінники всього ряду.",
        "Обговорили з колегою, на ранковій зустрічі повторили, як вітати покупців.",
        "Прибрали примірочні, замінили гачки, додали пункт до щогодинного обходу.",
    ],
}
NOTES: dict[str, list[str]] = {
    "en": [
        "Prefers to be called after six.",
        "Regular customer, knew the receipt by heart.",
        "Was glad about the call.",
    ],
    "de": ["Bitte erst nach 18 Uhr anrufen.", "Stammkundin.", "Hat sich über den Anruf gefreut."],
    "uk": ["Просить дзвонити після шостої.", "Постійна покупчиня.", "Зраділа дзвінку."],
}
