"""What messages say, in three languages: plain text, a subject and a body each.

A body is a format string over the values of its template, and `link`: the same token for a page of
the organization's portal, or nothing where none is set up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from auth.domain.messages import LANGUAGES, LONGEST_VALUE, Channel, Message, Template
from core.texts import has_controls


@dataclass(frozen=True, slots=True)
class Text:
    """What one message says."""

    subject: str
    body: str


_Wording = Mapping[str, Text]

_SIGNED = {
    "en": "\n\nThis message was sent automatically. Nobody will ever ask you for your password.\n",
    "fr": (
        "\n\nCe message a été envoyé automatiquement. Personne ne vous demandera jamais votre mot"
        " de passe.\n"
    ),
    "de": (
        "\n\nDiese Nachricht wurde automatisch versandt. Niemand wird Sie je nach Ihrem Passwort"
        " fragen.\n"
    ),
}
_NOT_YOU = {
    "en": " If this was not you, tell your administrator at once.",
    "fr": " Si ce n'était pas vous, prévenez immédiatement votre administrateur.",
    "de": " Wenn Sie das nicht waren, verständigen Sie sofort Ihren Administrator.",
}


def _notice(en: tuple[str, str], fr: tuple[str, str], de: tuple[str, str]) -> _Wording:
    """About something that has been done to the account."""
    said = {"en": en, "fr": fr, "de": de}
    return {key: Text(subject, body + _NOT_YOU[key]) for key, (subject, body) in said.items()}


WORDING: Mapping[Template, _Wording] = {
    Template.VERIFY_EMAIL: {
        "en": Text(
            "Confirm your e-mail address",
            "Confirm that this address is yours with this token, within 24 hours:\n\n{token}\n"
            "{link}\nIf you did not register, ignore this message.",
        ),
        "fr": Text(
            "Confirmez votre adresse électronique",
            "Confirmez que cette adresse est la vôtre avec ce jeton, dans les 24 heures"
            " :\n\n{token}\n{link}\nSi vous ne vous êtes pas inscrit, ignorez ce message.",
        ),
        "de": Text(
            "Bestätigen Sie Ihre E-Mail-Adresse",
            "Bestätigen Sie mit diesem Token binnen 24 Stunden, dass diese Adresse Ihnen"
            " gehört:\n\n{token}\n{link}\nWenn Sie sich nicht angemeldet haben, beachten Sie"
            " diese Nachricht nicht.",
        ),
    },
    Template.ACCOUNT_EXISTS: {
        "en": Text(
            "You have an account already",
            "Somebody registered with this address, which has an account already. If it was you,"
            " log in, or ask for a new password. Otherwise ignore this message; nothing has"
            " changed.",
        ),
        "fr": Text(
            "Vous avez déjà un compte",
            "Quelqu'un s'est inscrit avec cette adresse, qui a déjà un compte. Si c'était vous,"
            " connectez-vous ou demandez un nouveau mot de passe. Sinon, ignorez ce message ; rien"
            " n'a changé.",
        ),
        "de": Text(
            "Sie haben bereits ein Konto",
            "Jemand hat sich mit dieser Adresse registriert, die bereits ein Konto hat. Wenn Sie"
            " es waren, melden Sie sich an oder fordern Sie ein neues Passwort an. Andernfalls"
            " beachten Sie diese Nachricht nicht; nichts hat sich geändert.",
        ),
    },
    Template.CONFIRM_NEW_EMAIL: {
        "en": Text(
            "Confirm your new e-mail address",
            "Confirm this address as that of your account with this token, within 24 hours:\n\n"
            "{token}\n{link}\nIf you did not ask for it, ignore this message.",
        ),
        "fr": Text(
            "Confirmez votre nouvelle adresse électronique",
            "Confirmez cette adresse comme celle de votre compte avec ce jeton, dans les 24"
            " heures :\n\n{token}\n{link}\nSi vous ne l'avez pas demandé, ignorez ce message.",
        ),
        "de": Text(
            "Bestätigen Sie Ihre neue E-Mail-Adresse",
            "Bestätigen Sie diese Adresse als die Ihres Kontos mit diesem Token, binnen 24 Stunden:"
            "\n\n{token}\n{link}\nWenn Sie das nicht wünschen, beachten Sie diese Nachricht nicht.",
        ),
    },
    Template.RESET_PASSWORD: {
        "en": Text(
            "Choose a new password",
            "Choose a new password with this token, within 20 minutes:\n\n{token}\n{link}\n"
            "If you did not ask for it, ignore this message; your password stays as it is.",
        ),
        "fr": Text(
            "Choisissez un nouveau mot de passe",
            "Choisissez un nouveau mot de passe avec ce jeton, dans les 20 minutes"
            " :\n\n{token}\n{link}\nSi vous ne l'avez pas demandé, ignorez ce message ; votre mot"
            " de passe ne change pas.",
        ),
        "de": Text(
            "Wählen Sie ein neues Passwort",
            "Wählen Sie mit diesem Token binnen 20 Minuten ein neues Passwort:\n\n{token}\n{link}\n"
            "Wenn Sie das nicht wünschen, beachten Sie diese Nachricht nicht; Ihr Passwort bleibt.",
        ),
    },
    Template.INVITATION: {
        "en": Text(
            "You are invited",
            "{organization} invites you. Accept with this token, within seven days:\n\n{token}\n"
            "{link}\nIf you do not know who invites you, ignore this message.",
        ),
        "fr": Text(
            "Vous êtes invité",
            "{organization} vous invite. Acceptez avec ce jeton, dans les sept jours :\n\n{token}\n"
            "{link}\nSi vous ne savez pas qui vous invite, ignorez ce message.",
        ),
        "de": Text(
            "Sie sind eingeladen",
            "{organization} lädt Sie ein. Nehmen Sie mit diesem Token binnen sieben Tagen an:\n\n"
            "{token}\n{link}\nWenn Sie nicht wissen, wer Sie einlädt, beachten Sie diese Nachricht"
            " nicht.",
        ),
    },
    Template.EMAIL_CODE: {
        "en": Text("Your code", "Your code is {code}. It is good once, for ten minutes."),
        "fr": Text("Votre code", "Votre code est {code}. Il est valable une fois, dix minutes."),
        "de": Text("Ihr Code", "Ihr Code ist {code}. Er gilt einmal, zehn Minuten lang."),
    },
    Template.SMS_CODE: {
        "en": Text("Your code", "Your code is {code}. Tell it nobody."),
        "fr": Text("Votre code", "Votre code est {code}. Ne le dites à personne."),
        "de": Text("Ihr Code", "Ihr Code ist {code}. Sagen Sie ihn niemandem."),
    },
    Template.FACTOR_ADDED: _notice(
        ("A way to log in was added", "Your account has a further way to log in: {factor}."),
        (
            "Un moyen de connexion a été ajouté",
            "Votre compte a un moyen de connexion de plus : {factor}.",
        ),
        (
            "Ein Anmeldeweg ist hinzugekommen",
            "Ihr Konto hat einen weiteren Anmeldeweg: {factor}.",
        ),
    ),
    Template.FACTOR_REMOVED: _notice(
        ("A way to log in was removed", "Your account has lost a way to log in: {factor}."),
        (
            "Un moyen de connexion a été retiré",
            "Votre compte a un moyen de connexion de moins : {factor}.",
        ),
        ("Ein Anmeldeweg ist weggefallen", "Ihr Konto hat einen Anmeldeweg weniger: {factor}."),
    ),
    Template.PASSWORD_CHANGED: _notice(
        ("Your password was changed", "The password of your account was changed."),
        ("Votre mot de passe a été modifié", "Le mot de passe de votre compte a été modifié."),
        ("Ihr Passwort wurde geändert", "Das Passwort Ihres Kontos wurde geändert."),
    ),
    Template.EMAIL_CHANGED: _notice(
        (
            "The address of your account was changed",
            "Your account has another e-mail address from now on; this one opens it no more.",
        ),
        (
            "L'adresse de votre compte a été modifiée",
            "Votre compte a désormais une autre adresse électronique ; celle-ci ne l'ouvre plus.",
        ),
        (
            "Die Adresse Ihres Kontos wurde geändert",
            "Ihr Konto hat ab jetzt eine andere E-Mail-Adresse; diese öffnet es nicht mehr.",
        ),
    ),
    Template.ACCOUNT_DEACTIVATED: _notice(
        ("Your account was deactivated", "Nobody can log in to your account any more."),
        ("Votre compte a été désactivé", "Plus personne ne peut se connecter à votre compte."),
        ("Ihr Konto wurde deaktiviert", "Niemand kann sich mehr an Ihrem Konto anmelden."),
    ),
    Template.ACCOUNT_DELETED: _notice(
        ("Your account was deleted", "Your account was deleted, for good."),
        ("Votre compte a été supprimé", "Votre compte a été supprimé définitivement."),
        ("Ihr Konto wurde gelöscht", "Ihr Konto wurde endgültig gelöscht."),
    ),
    Template.SESSION_ENDED_BY_REUSE: _notice(
        (
            "A session was ended",
            (
                "A session of your account was ended, since two parties used it at once. Log in"
                " again and change your password."
            ),
        ),
        (
            "Une session a été fermée",
            (
                "Une session de votre compte a été fermée, car deux parties l'utilisaient à la"
                " fois. Reconnectez-vous et changez votre mot de passe."
            ),
        ),
        (
            "Eine Sitzung wurde beendet",
            (
                "Eine Sitzung Ihres Kontos wurde beendet, weil zwei Seiten sie zugleich benutzten."
                " Melden Sie sich neu an und ändern Sie Ihr Passwort."
            ),
        ),
    ),
    Template.BREAK_GLASS: {
        "en": Text(
            "Emergency access was taken",
            "At {organization}, somebody has opened a record by emergency access. Examine it in the"
            " list of grants.",
        ),
        "fr": Text(
            "Un accès d'urgence a été pris",
            "À {organization}, quelqu'un a ouvert un dossier par accès d'urgence. Examinez-le"
            " dans la liste des accès.",
        ),
        "de": Text(
            "Ein Notfallzugriff ist erfolgt",
            "Bei {organization} hat jemand eine Akte per Notfallzugriff geöffnet. Prüfen Sie ihn in"
            " der Liste der Zugriffe.",
        ),
    },
}

_PAGES: Mapping[Template, str] = {
    Template.VERIFY_EMAIL: "verify-email",
    Template.CONFIRM_NEW_EMAIL: "confirm-email",
    Template.RESET_PASSWORD: "reset-password",
    Template.INVITATION: "accept-invitation",
}


def text_of(message: Message, portal: str = "") -> Text:
    """What a message says. `portal` is where the pages of links are, without a final slash."""
    language = message.language if message.language in LANGUAGES else LANGUAGES[0]
    wording = WORDING[message.template][language]
    values = {name: _plain(value) for name, value in message.values.items()}
    body = wording.body.format_map(values | {"link": _link(message, portal)})
    if message.channel is Channel.EMAIL:
        body += _SIGNED[language]
    return Text(wording.subject, body)


def _link(message: Message, portal: str) -> str:
    """A page that takes the token. It stands behind `#`, which browsers send to nobody."""
    page = _PAGES.get(message.template)
    return f"{portal}/{page}#{message.values['token']}\n" if portal and page else ""


def _plain(value: str) -> str:
    """A value on one line, of bounded length: a name cannot add lines of its own to a message."""
    kept = "".join(" " if has_controls(character) else character for character in value)
    return kept[:LONGEST_VALUE]
