terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "backend" {
  type = string
}

variable "second" {
  type    = bool
  default = false
}

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}

resource "aws_cloudwatch_log_group" "access" {
  name = "/by-terraform/http"
}

resource "aws_apigatewayv2_api" "http" {
  name          = "by-terraform"
  protocol_type = "HTTP"
  description   = var.second ? "second" : "first"

  cors_configuration {
    allow_origins = ["https://a.example"]
    allow_methods = ["GET"]
    max_age       = 60
  }

  tags = {
    made = "terraform"
  }
}

resource "aws_apigatewayv2_integration" "backend" {
  api_id             = aws_apigatewayv2_api.http.id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  integration_uri    = "${var.backend}/{proxy}"

  request_parameters = var.second ? {
    "overwrite:header.x-second" = "yes"
    } : {
    "overwrite:header.x-first" = "$context.requestId"
  }

  response_parameters {
    status_code = 200
    mappings = {
      "append:header.x-told" = "yes"
    }
  }
}

resource "aws_apigatewayv2_authorizer" "tokens" {
  api_id           = aws_apigatewayv2_api.http.id
  name             = "tokens"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    audience = ["me"]
    issuer   = "https://issuer.example"
  }
}

resource "aws_apigatewayv2_route" "open" {
  api_id    = aws_apigatewayv2_api.http.id
  route_key = "GET /open/{proxy+}"
  target    = "integrations/${aws_apigatewayv2_integration.backend.id}"
}

resource "aws_apigatewayv2_route" "closed" {
  api_id               = aws_apigatewayv2_api.http.id
  route_key            = "GET /closed/{proxy+}"
  target               = "integrations/${aws_apigatewayv2_integration.backend.id}"
  authorization_type   = "JWT"
  authorizer_id        = aws_apigatewayv2_authorizer.tokens.id
  authorization_scopes = ["read"]
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.http.id
  name        = "$default"
  auto_deploy = true

  stage_variables = var.second ? { b = "2" } : { a = "1" }

  default_route_settings {
    throttling_burst_limit = 100
    throttling_rate_limit  = 100
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = "$context.requestId $context.status"
  }
}

resource "aws_apigatewayv2_api" "quick" {
  name          = "quick-by-terraform"
  protocol_type = "HTTP"
  target        = var.backend
}

resource "aws_apigatewayv2_api" "sockets" {
  name                       = "sockets-by-terraform"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_model" "message" {
  api_id       = aws_apigatewayv2_api.sockets.id
  name         = "Message"
  content_type = "application/json"
  schema       = jsonencode({ type = "object" })
}

resource "aws_apigatewayv2_integration" "mock" {
  api_id           = aws_apigatewayv2_api.sockets.id
  integration_type = "MOCK"

  request_templates = {
    "application/json" = jsonencode({ statusCode = 200 })
  }
}

resource "aws_apigatewayv2_integration_response" "mock" {
  api_id                   = aws_apigatewayv2_api.sockets.id
  integration_id           = aws_apigatewayv2_integration.mock.id
  integration_response_key = "$default"
}

resource "aws_apigatewayv2_route" "message" {
  api_id                              = aws_apigatewayv2_api.sockets.id
  route_key                           = "$default"
  target                              = "integrations/${aws_apigatewayv2_integration.mock.id}"
  route_response_selection_expression = "$default"
}

resource "aws_apigatewayv2_route_response" "message" {
  api_id             = aws_apigatewayv2_api.sockets.id
  route_id           = aws_apigatewayv2_route.message.id
  route_response_key = "$default"
}

resource "aws_apigatewayv2_deployment" "sockets" {
  api_id     = aws_apigatewayv2_api.sockets.id
  depends_on = [aws_apigatewayv2_route.message]

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "sockets" {
  api_id        = aws_apigatewayv2_api.sockets.id
  name          = "prod"
  deployment_id = aws_apigatewayv2_deployment.sockets.id
}

output "http" {
  value = aws_apigatewayv2_api.http.id
}

output "quick" {
  value = aws_apigatewayv2_api.quick.id
}
