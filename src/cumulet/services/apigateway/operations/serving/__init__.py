"""What makes an API answer: deployments, stages, gateway responses, and trying methods out."""
