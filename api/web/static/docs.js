// Starts the viewer of the API's document; in a file of its own, because pages run no script of their own.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
