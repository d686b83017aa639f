terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "package" {
  type = string
}

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}

resource "aws_iam_role" "calculator" {
  name = "by-terraform"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.calculator.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_cloudwatch_log_group" "calculator" {
  name              = "/aws/lambda/by-terraform"
  retention_in_days = 14
}

resource "aws_s3_bucket" "packages" {
  bucket        = "packages-by-terraform"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "packages" {
  bucket = aws_s3_bucket.packages.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "packages" {
  bucket                  = aws_s3_bucket.packages.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "package" {
  bucket = aws_s3_bucket.packages.id
  key    = "calculator.zip"
  source = var.package
  etag   = filemd5(var.package)
}

resource "aws_lambda_function" "calculator" {
  function_name    = "by-terraform"
  role             = aws_iam_role.calculator.arn
  runtime          = "python3.12"
  handler          = "calculator.handler"
  s3_bucket        = aws_s3_object.package.bucket
  s3_key           = aws_s3_object.package.key
  source_code_hash = filebase64sha256(var.package)

  environment {
    variables = { STAGE = "prod" }
  }
}

resource "aws_lambda_function" "doorkeeper" {
  function_name    = "by-terraform-doorkeeper"
  role             = aws_iam_role.calculator.arn
  runtime          = "python3.12"
  handler          = "doorkeeper.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)

  environment {
    variables = { PASSPHRASE = "by-terraform" }
  }
}

resource "aws_api_gateway_rest_api" "calculator" {
  name = "by-terraform"
}

resource "aws_api_gateway_rest_api_policy" "calculator" {
  rest_api_id = aws_api_gateway_rest_api.calculator.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = "*"
        Action    = "execute-api:Invoke"
        Resource  = "${aws_api_gateway_rest_api.calculator.execution_arn}/*"
      },
      {
        Effect    = "Deny"
        Principal = "*"
        Action    = "execute-api:Invoke"
        Resource  = "${aws_api_gateway_rest_api.calculator.execution_arn}/prod/GET/health"
        Condition = { NotIpAddress = { "aws:SourceIp" = "192.0.2.0/24" } }
      },
    ]
  })
}

resource "aws_api_gateway_gateway_response" "refused" {
  rest_api_id         = aws_api_gateway_rest_api.calculator.id
  response_type       = "DEFAULT_4XX"
  response_templates  = { "application/json" = "{\"message\":$context.error.messageString}" }
  response_parameters = { "gatewayresponse.header.Access-Control-Allow-Origin" = "'*'" }
}

resource "aws_api_gateway_authorizer" "doorkeeper" {
  name                             = "doorkeeper"
  rest_api_id                      = aws_api_gateway_rest_api.calculator.id
  type                             = "TOKEN"
  authorizer_uri                   = aws_lambda_function.doorkeeper.invoke_arn
  identity_source                  = "method.request.header.Authorization"
  identity_validation_expression   = "^Bearer .+$"
  authorizer_result_ttl_in_seconds = 60
}

resource "aws_api_gateway_resource" "all" {
  for_each    = toset(["calculations", "health"])
  rest_api_id = aws_api_gateway_rest_api.calculator.id
  parent_id   = aws_api_gateway_rest_api.calculator.root_resource_id
  path_part   = each.key
}

locals {
  methods = {
    read      = { path = "calculations", method = "GET", authorization = "NONE", key = false }
    calculate = { path = "calculations", method = "POST", authorization = "NONE", key = false }
    key       = { path = "calculations", method = "PUT", authorization = "NONE", key = true }
    door      = { path = "calculations", method = "PATCH", authorization = "CUSTOM", key = false }
    signature = { path = "calculations", method = "DELETE", authorization = "AWS_IAM", key = false }
    health    = { path = "health", method = "GET", authorization = "NONE", key = false }
  }
}

resource "aws_api_gateway_method" "all" {
  for_each         = local.methods
  rest_api_id      = aws_api_gateway_rest_api.calculator.id
  resource_id      = aws_api_gateway_resource.all[each.value.path].id
  http_method      = each.value.method
  authorization    = each.value.authorization
  authorizer_id    = each.value.authorization == "CUSTOM" ? aws_api_gateway_authorizer.doorkeeper.id : null
  api_key_required = each.value.key
}

resource "aws_api_gateway_integration" "all" {
  for_each                = aws_api_gateway_method.all
  rest_api_id             = aws_api_gateway_rest_api.calculator.id
  resource_id             = each.value.resource_id
  http_method             = each.value.http_method
  integration_http_method = "POST"
  type                    = "AWS_PROXY"
  uri                     = aws_lambda_function.calculator.invoke_arn
}

resource "aws_api_gateway_method" "preflight" {
  rest_api_id   = aws_api_gateway_rest_api.calculator.id
  resource_id   = aws_api_gateway_resource.all["calculations"].id
  http_method   = "OPTIONS"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "preflight" {
  rest_api_id       = aws_api_gateway_rest_api.calculator.id
  resource_id       = aws_api_gateway_method.preflight.resource_id
  http_method       = aws_api_gateway_method.preflight.http_method
  type              = "MOCK"
  request_templates = { "application/json" = jsonencode({ statusCode = 200 }) }
}

resource "aws_api_gateway_method_response" "preflight" {
  rest_api_id = aws_api_gateway_rest_api.calculator.id
  resource_id = aws_api_gateway_method.preflight.resource_id
  http_method = aws_api_gateway_method.preflight.http_method
  status_code = "200"
  response_parameters = {
    "method.response.header.Access-Control-Allow-Origin"  = true
    "method.response.header.Access-Control-Allow-Methods" = true
    "method.response.header.Access-Control-Allow-Headers" = true
  }
}

resource "aws_api_gateway_integration_response" "preflight" {
  rest_api_id = aws_api_gateway_rest_api.calculator.id
  resource_id = aws_api_gateway_integration.preflight.resource_id
  http_method = aws_api_gateway_integration.preflight.http_method
  status_code = aws_api_gateway_method_response.preflight.status_code
  response_parameters = {
    "method.response.header.Access-Control-Allow-Origin"  = "'*'"
    "method.response.header.Access-Control-Allow-Methods" = "'GET,POST,PUT,PATCH,DELETE'"
    "method.response.header.Access-Control-Allow-Headers" = "'Content-Type,X-Api-Key'"
  }
}

resource "aws_lambda_permission" "api" {
  for_each      = toset(["calculator", "doorkeeper"])
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = each.key == "calculator" ? aws_lambda_function.calculator.function_name : aws_lambda_function.doorkeeper.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.calculator.execution_arn}/*"
}

resource "aws_api_gateway_deployment" "prod" {
  rest_api_id = aws_api_gateway_rest_api.calculator.id
  depends_on = [
    aws_api_gateway_integration.all,
    aws_api_gateway_integration_response.preflight,
    aws_api_gateway_gateway_response.refused,
    aws_api_gateway_rest_api_policy.calculator,
  ]
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id   = aws_api_gateway_rest_api.calculator.id
  deployment_id = aws_api_gateway_deployment.prod.id
  stage_name    = "prod"
}

resource "aws_api_gateway_api_key" "caller" {
  name = "by-terraform"
}

resource "aws_api_gateway_usage_plan" "plan" {
  name = "by-terraform"
  api_stages {
    api_id = aws_api_gateway_rest_api.calculator.id
    stage  = aws_api_gateway_stage.prod.stage_name
  }
  quota_settings {
    limit  = 10000
    period = "DAY"
  }
  throttle_settings {
    rate_limit  = 50
    burst_limit = 100
  }
}

resource "aws_api_gateway_usage_plan_key" "caller" {
  key_id        = aws_api_gateway_api_key.caller.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.plan.id
}

resource "aws_ssm_parameter" "greeting" {
  name  = "/by-terraform/greeting"
  type  = "SecureString"
  value = "hello"
}

output "url" {
  value = "${aws_api_gateway_stage.prod.invoke_url}/calculations"
}

output "function" {
  value = aws_lambda_function.calculator.function_name
}

output "key" {
  value = aws_api_gateway_api_key.caller.id
}

output "doorkeeper" {
  value = aws_lambda_function.doorkeeper.function_name
}
