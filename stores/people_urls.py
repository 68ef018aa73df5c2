from django.urls import URLPattern, URLResolver, path

from stores.views import details, devices, inviting, people

urlpatterns: list[URLPattern | URLResolver] = [
    path("people/", people.people_list, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/invitations/", inviting.invitations, name="invitations"),
    path("people/join/<str:token>/", people.join, name="join"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/edit/", details.edit, name="person_edit"),
    # As after "/join/", what follows "/key/" is kept out of logs.
    path("people/address/key/<str:token>/", details.confirm, name="confirm_address"),
    path("people/phone/", devices.my_phone, name="my_phone"),
    path("people/pin/", devices.my_pin, name="my_pin"),
    path("people/tablet/", devices.tablet, name="tablet"),
    path("people/tablet/<str:code>/", devices.shared_devices, name="shared_devices"),
]
