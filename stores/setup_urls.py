"""Setting the chain up: the tree, new stores, what can be changed of a store, and what is missing."""

from django.urls import URLPattern, path

from stores.views import checklist, editing, imports, many, store, store_list, tree

urlpatterns: list[URLPattern] = [
    path("setup/", checklist.checklist, name="checklist"),
    path("setup/stores/new/", editing.new_store, name="store_new"),
    path("setup/stores/bulk/", store_list.bulk, name="stores_bulk"),
    path("setup/stores/touchpoints/", many.equip, name="stores_equip"),
    path("setup/stores/exceptions/", many.other_hours, name="stores_other_hours"),
    path("setup/import/", imports.new_import, name="new_import"),
    path("setup/import/<uuid:pk>/", imports.show_import, name="store_import"),
    path("setup/import/<uuid:pk>/confirm/", imports.confirm_import, name="confirm_import"),
    path("setup/import/template.xlsx", imports.template, name="import_template"),
    path("setup/export/", imports.export, name="store_export"),
    path("setup/export/<str:sheet>.csv", imports.export_csv, name="store_export_csv"),
    path("tree/", tree.tree, name="tree"),
    path("tree/new/", tree.new_node, name="node_new"),
    path("tree/nodes/<str:code>/", tree.node, name="node"),
    path("tree/nodes/<str:code>/move/", tree.node_move, name="node_move"),
    path("stores/<str:code>/edit/", editing.store_edit, name="store_edit"),
    path("stores/<str:code>/hours/", editing.store_hours, name="store_hours"),
    path("stores/<str:code>/exceptions/", editing.store_exceptions, name="store_exceptions"),
    path("stores/<str:code>/closure/", editing.store_closure, name="store_closure"),
    path("stores/<str:code>/move/", editing.store_move, name="store_move"),
    path("stores/<str:code>/retire/", editing.store_retire, name="store_retire"),
    path("stores/<str:code>/history/", store.store_history, name="store_history"),
]
