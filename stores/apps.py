from importlib import import_module

from django.apps import AppConfig


class StoresConfig(AppConfig):
    name = "stores"

    def ready(self) -> None:
        import_module("stores.checks")
        import_module("stores.security_receivers")
        import_module("stores.device_receivers")
        import_module("stores.importing.jobs")
        import_module("stores.exporting")
        import_module("stores.equipping")
        import_module("stores.excepting")
        import_module("stores.inviting")
        import_module("stores.posters.checks")
        import_module("stores.posters.jobs")
        import_module("stores.rights")
