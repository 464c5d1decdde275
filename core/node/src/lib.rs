//! One device's whole life: key, store, link, media, forms.
