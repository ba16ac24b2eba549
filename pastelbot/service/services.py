"""Services: every use case, created once by the composition root and handed to the interfaces."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pastelbot.config import Settings
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.loop_watchdog import LoopWatchdog
from pastelbot.service.access import AccessPolicy
from pastelbot.service.admin import Admin
from pastelbot.service.gallery import Gallery
from pastelbot.service.housekeeping import Housekeeping
from pastelbot.service.models.models import Models
from pastelbot.service.monitoring.monitor import Monitor
from pastelbot.service.page.page_jobs import PageJobs
from pastelbot.service.page.sign_in import SignIn
from pastelbot.service.personal_data.personal_data import PersonalData
from pastelbot.service.quotas import Quotas
from pastelbot.service.rates import Rates
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.checking import RequestChecker
from pastelbot.service.requests.history import PictureHistory
from pastelbot.service.requests.preferences import Preferences
from pastelbot.service.requests.presets import Presets
from pastelbot.service.requests.submission import JobService
from pastelbot.service.reviews import Reviews
from pastelbot.service.tagging import Describing
from pastelbot.service.tags.dictionary import Tags
from pastelbot.service.visibility import Visibility
from pastelbot.store.confirmations import ConfirmationStore
from pastelbot.store.database import Database
from pastelbot.store.jobs.begun_messages import BegunMessageStore
from pastelbot.store.key_values import KeyValueStore


@dataclass(frozen=True, kw_only=True)
class Services:
    """The use cases, and the parts below them that are opened and closed with the bot."""

    settings: Settings
    clock: Callable[[], datetime]
    database: Database
    dispatcher: Dispatcher
    key_values: KeyValueStore
    begun_messages: BegunMessageStore
    confirmations: ConfirmationStore
    access: AccessPolicy
    admin: Admin
    builder: RequestBuilder
    checker: RequestChecker
    gallery: Gallery
    history: PictureHistory
    housekeeping: Housekeeping
    jobs: JobService
    models: Models
    page_jobs: PageJobs
    personal_data: PersonalData
    preferences: Preferences
    presets: Presets
    quotas: Quotas
    rates: Rates
    reviews: Reviews
    sign_in: SignIn
    tagging: Describing
    tags: Tags
    visibility: Visibility
    watchdog: LoopWatchdog
    monitor: Monitor
