"""The index over HTTP: routes, and what every request passes on its way to them."""
