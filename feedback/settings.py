"""All settings of an installation. Values that differ between installations come from the environment."""

import os
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF

from core import logs
from feedback import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("HALFHOUR_VAR", default=str(BASE_DIR / "var")))

DEMO = env.flag("DEMO", default=False)
DEBUG = env.flag("DEBUG", default=False)
TESTING = env.flag("HALFHOUR_TESTING", default=False)

_keys = env.load_secrets(throwaway=TESTING or not os.environ.get("DATABASE_URL"))
SECRET_KEY = _keys["secret_key"]
# Comma-separated, newest first: the first writes, all read. Rotating one leaves the others alone.
FIELD_KEYS = _keys["field_key"].split(",")
LINK_KEYS = _keys["link_key"].split(",")

PORT = env.number("PORT", default=8000, least=1)
PUBLIC_URL = env.origin("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}")
SECURE = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = ["*"] if DEMO or TESTING else [env.host_of(PUBLIC_URL), *env.words("ALLOWED_HOSTS", default="")]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if SECURE else []

INSTALLED_APPS = [
    "core",
    "stores",
    "customers",
    "messaging",
    "surveys",
    "sentiment",
    "alerts",
    "integrations",
    "reports",
    "demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "template_partials",
]

MIDDLEWARE = [
    # Shoppers' pages, which know no session, go past all the others.
    "core.middleware.shoppers_way",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.middleware.security_headers",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "stores.security_middleware.sessions_end",
    # An enrolled device stands in for the sign-in, on the pages that say so.
    "stores.device_middleware.DeviceMiddleware",
    # Every page asks for a sign-in unless its view says `login_not_required`.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "stores.security_middleware.SecondFactorMiddleware",
    "core.middleware.reader_language",
    "core.middleware.no_null_characters",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

# Where pages that know no session may lie, see `core.middleware.shoppers_way`.
SHOPPER_PATHS = ("/q/", "/r/", "/t/", "/c/", "/u/")
ROOT_URLCONF = "feedback.urls"
WSGI_APPLICATION = "feedback.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.context.site",
            ],
        },
    }
]

# Without DATABASE_URL the keys are thrown away (see above), so nothing may be written anywhere.
DATABASES = {"default": env.database(env.text("DATABASE_URL", default="postgresql://database-url-is-not-set.invalid"))}
DATABASES["default"] |= {
    "CONN_MAX_AGE": env.number("DB_CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,
    "TEST": {
        "NAME": f"test_{DATABASES['default']['NAME']}{env.text('HALFHOUR_TEST_SUFFIX')}",
        # A database with every table, to be copied: migrating takes a quarter of a minute.
        "TEMPLATE": env.text("HALFHOUR_TEST_TEMPLATE") or None,
    },
}
# Off behind a pooler that gives each transaction another connection and does not know prepared statements.
DATABASE_PREPARES = env.flag("DATABASE_PREPARES", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people ---------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "stores.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "stores.security_passwords.GuessableValidator"},
]
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=2).total_seconds())
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if TESTING
    else ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
)
# Whether staff must prove a second factor. A demonstration, whose logins are printed, does without.
MFA_REQUIRED = env.flag("MFA_REQUIRED", default=not (DEMO or TESTING))
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "stores.accounts.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "change_password": "stores.security_forms.ChangePasswordForm",
    "reset_password": "stores.security_forms.ForgottenForm",
    "reset_password_from_key": "stores.security_forms.NewPasswordForm",
}
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Ours are shared by all processes, see stores/security_limits.py.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
MFA_ADAPTER = "stores.accounts.StaffMFAAdapter"
MFA_FORMS = {
    "authenticate": "stores.security_forms.SecondStepForm",
    "reauthenticate": "stores.security_forms.ConfirmForm",
    "activate_totp": "stores.security_forms.AppForm",
    "login_webauthn": "stores.security_forms.PasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Head office gives the addresses; nobody types their own.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Clocks of phones are off by some seconds; each code is accepted once all the same.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 10
# Single sign-on; without an issuer it is not offered.
OIDC_ISSUER = env.issuer("OIDC_ISSUER")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET")
OIDC_LABEL = env.text("OIDC_LABEL")
OIDC_DOMAINS = [domain.lower() for domain in env.words("OIDC_DOMAINS", default="")]
# Whether two factors proved at the provider, as its tokens say by `amr` or one of these `acr`, are enough here.
OIDC_TRUSTS_MFA = env.flag("OIDC_TRUSTS_MFA", default=False)
OIDC_MFA_ACR = env.words("OIDC_MFA_ACR", default="")

SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = "Lax"
# A session is over after so long without a click, and after so long altogether.
SESSION_IDLE = timedelta(hours=env.number("SESSION_IDLE_HOURS", default=12, least=1))
SESSION_LIFETIME = timedelta(days=env.number("SESSION_DAYS", default=14, least=1))
SESSION_COOKIE_AGE = int(SESSION_LIFETIME.total_seconds())
# Kept with the session: a cookie of their own would lack the prefix that binds cookies to this host.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# An enrolled phone, or a store's shared device, see stores/devices.py.
DEVICE_COOKIE_NAME = "__Host-device" if SECURE else "device"
# How long a store's shared device knows who is in front of it without being touched.
SHARED_DEVICE_IDLE = timedelta(seconds=env.number("SHARED_DEVICE_IDLE_SECS", default=60, least=5))
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_SSL_REDIRECT = SECURE and env.flag("SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", default=False) else None
# How many proxies of ours stand in front: the client's address is that many hops from the right. Sign-ins are limited
# by it; without it one person's wrong passwords would shut out everybody behind the same proxy.
TRUSTED_PROXY_HOPS = ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_HOPS", default=0)
# Nothing to other origins. "no-referrer" would have browsers send `Origin: null` with our own forms, which the
# protection against forged requests must refuse.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=()"

# --- languages and time ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
STAFF_LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("uk", "Українська")]
# What shoppers read: their pages, and our messages to them.
LANGUAGES = [
    *STAFF_LANGUAGES,
    ("fr", "Français"),
    ("es", "Español"),
    ("it", "Italiano"),
    ("pl", "Polski"),
    ("da", "Dansk"),
    ("nl", "Nederlands"),
    ("pt", "Português"),
    ("cs", "Čeština"),
    ("sv", "Svenska"),
    ("ar", "العربية"),
]
# Where the words for shoppers are written, as files, folders, or functions of a file after two colons.
SHOPPER_TEXTS = [
    "templates/shopper",
    "templates/shopper_base.html",
    "templates/surveys/question.html",
    "templates/surveys/receipt_survey.html",
    "templates/surveys/receipt_survey.txt",
    "templates/alerts/mail/case_answer.html",
    "templates/alerts/mail/case_answer.txt",
    "templates/alerts/mail/verification.html",
    "templates/alerts/mail/verification.txt",
    "surveys/contact_times.py",
    "surveys/forms.py",
    "surveys/pages.py",
    "surveys/receipt_block.py",
    "surveys/call_texts.py::_asked",
    "surveys/call_texts.py::_question",
    "surveys/call_texts.py::_scale",
    "surveys/call_texts.py::call_survey",
    "surveys/call_texts.py::call_survey_again",
    "surveys/call_texts.py::call_survey_more",
    "surveys/renderers.py::receipt_survey",
    "surveys/wording.py",
    "alerts/actions.py::_said_by_shopper",
    "alerts/actions.py::choose_contact",
    "alerts/actions.py::confirm",
    "alerts/actions.py::score_again",
    "alerts/changing.py::cleaned",
    "alerts/promises.py",
    "alerts/renderers.py::render_answer",
    "alerts/renderers.py::render_verification",
    "alerts/shopper.py",
    "messaging/views/inbound.py",
]
# Languages verbatims are read in.
VERBATIM_LANGUAGES = ["en", "de", "uk", "fr", "es", "it", "pl", "da", "nl", "pt", "cs", "sv", "ar", "ru"]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["core.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- the chain ------------------------------------------------------------------------------------------------
CHAIN_NAME = env.text("CHAIN_NAME", default="Halfhour")
CHAIN_ACCENT = env.colour("CHAIN_ACCENT", default="#0b6e4f")
# Where there is room for a surface in a colour of its own, as below the text of posters.
CHAIN_SECOND = env.colour("CHAIN_SECOND", default=CHAIN_ACCENT)
# A PNG or SVG file for posters; without one they bear the name.
CHAIN_LOGO = env.text("CHAIN_LOGO")

# --- the loop -------------------------------------------------------------------------------------------------
# How long after a call its text message goes out.
CALL_SURVEY_DELAY = timedelta(seconds=env.number("CALL_SURVEY_DELAY_SECS", default=120))
# How long after a case is resolved the shopper is asked whether it is.
VERIFICATION_DELAY = timedelta(seconds=env.number("VERIFICATION_DELAY_SECS", default=86_400))
# How long silence lasts until a case counts as unconfirmed.
VERIFICATION_WINDOW = timedelta(days=7)
# Over how many screens head office may spread a survey: with every further one fewer people finish.
MOST_SCREENS = env.number("MOST_SCREENS", default=2)
# How long the same submission id may still correct its answers.
CORRECTION_WINDOW = timedelta(minutes=30)
INVITATION_LIFETIME = timedelta(days=30)
# For how many days nobody who was asked is asked again, by whatever channel. The demo asks everybody.
CONTACT_REST_DAYS = env.number("CONTACT_REST_DAYS", default=0 if DEMO or TESTING else 30)
# Of a hundred receipts and calls so many are asked about; whoever scans a code is always asked.
SAMPLE_PCT = {
    "receipt": env.number("SAMPLE_RECEIPTS_PCT", default=100),
    "call": env.number("SAMPLE_CALLS_PCT", default=100),
}
# An answer that comes sooner after its page is marked, and taken all the same.
SHORTEST_ANSWER_SECS = 0 if TESTING else 2
# Which marks keep an answer out of the headline figures, besides those of staff and of what was never sent. Not many
# from one browser, which may be a store's own tablet, and not a page that was opened while the store was closed, which
# may be a photograph of the code at home. The demo is tried by one person in a hurry. Cells count by it from then on;
# `./run manage rebuild_facts` brings it to the days before.
FLAGS_LEFT_OUT = env.words("FLAGS_LEFT_OUT", default="trap" if DEMO else "trap,hasty,unusual_scans")
# How long after the last tap a page counts as left; and after a Send that was refused.
UNSENT_AFTER, UNFINISHED_AFTER = timedelta(minutes=30), timedelta(minutes=5)
# Whether figures are told by agent of a call centre, too. What staff do is measured where their representatives have
# agreed to it, and nowhere else.
AGENT_FIGURES = env.flag("AGENT_FIGURES", default=DEMO)
# To which countries text messages go, besides the store's own.
SMS_COUNTRIES = env.words(
    "SMS_COUNTRIES",
    default="AT,BE,BG,CH,CY,CZ,DE,DK,EE,ES,FI,FR,GB,GR,HR,HU,IE,IS,IT,LI,LT,LU,LV,MT,NL,NO,PL,PT,RO,SE,SI,SK,UA",
)
# How long page views are counted in memory until they are written: what a killed process may lose. 0: only when told.
TALLY_FLUSH_SECS = 0 if TESTING else 3
# How often a worker looks whether the files of its model are kept for all nodes. 0: never.
MODEL_KEEP_SECS = env.number("MODEL_KEEP_SECS", default=0 if TESTING else 600)
# A folder or a hub name (`owner/name@revision`) for a `transformers` pipeline; needs the extra `torch`. Empty: the
# project's own model.
SENTIMENT_MODEL = env.text("SENTIMENT_MODEL")
# An https address that is sent redacted words and answers with their sentiment, see sentiment/service.py. Empty: none.
SENTIMENT_SERVICE_URL = env.text("SENTIMENT_SERVICE_URL")
SENTIMENT_SERVICE_KEY = env.text("SENTIMENT_SERVICE_KEY")

# --- messages -------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("FROM_EMAIL", default=f"{CHAIN_NAME} <feedback@localhost>")
globals().update(env.email_transport(env.text("EMAIL_URL", default="smtp://127.0.0.1:25")))
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN")
TWILIO_FROM = env.text("TWILIO_FROM", default="+15005550006")
# Points the real client at a stand-in; empty means Twilio itself.
TWILIO_BASE_URL = env.text("TWILIO_BASE_URL")
TWILIO_TIMEOUT_SECS = 10
# From and until which hour of the shopper's day no text message goes to them; "off" for none. The demo has no night.
QUIET_HOURS = env.hours("QUIET_HOURS", default="off" if DEMO or TESTING else "21-8")
# How long a worker may take over one message until another supposes it dead: longer than any conversation above.
SENDER_LEASE = timedelta(seconds=env.number("SENDER_LEASE_SECS", default=60, least=1))
# Where the demo's caught e-mail and SMS are read; empty in production.
MAILBOX_URL = env.text("MAILBOX_URL")
DEADMAN_URL = env.text("DEADMAN_URL")
# Stand-ins of tests listen on this machine, without TLS; in production nothing typed in may lead here.
OUTBOUND_ALLOW_LOOPBACK = TESTING and env.flag("OUTBOUND_ALLOW_LOOPBACK", default=False)

# --- background -----------------------------------------------------------------------------------------------
Q_CLUSTER = {
    "name": "halfhour",
    "orm": "default",
    "workers": 2,
    # An import is one step; on a slow machine a large one takes minutes.
    "timeout": 300,
    "queue_limit": 2,
    "bulk": 1,
    # More than the time-out times (queue_limit / workers + 2), or what waits in the cluster is started twice.
    "retry": 1200,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    "poll": 1,
    "label": "Jobs",
}

# --- files ----------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Source maps of libraries are larger than everything else together, and nobody waits for them.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "png", "jpg", "gif", "webp", "ico", "woff", "woff2", "gz", "br"]

# --- API ------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["integrations.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["integrations.permissions.HasScope"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["integrations.api.parsers.ShallowJSONParser"],
    "EXCEPTION_HANDLER": "integrations.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Halfhour API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- logs and checks ------------------------------------------------------------------------------------------
LOGGING = logs.configure()
# W021: whether browsers may know the domain in advance is for its owner to decide, who cannot take it back.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
