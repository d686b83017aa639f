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

resource "aws_api_gateway_rest_api" "calculator" {
  name = "by-terraform"
}

resource "aws_api_gateway_resource" "calculations" {
  rest_api_id = aws_api_gateway_rest_api.calculator.id
  parent_id   = aws_api_gateway_rest_api.calculator.root_resource_id
  path_part   = "calculations"
}

resource "aws_api_gateway_method" "all" {
  for_each      = toset(["GET", "POST"])
  rest_api_id   = aws_api_gateway_rest_api.calculator.id
  resource_id   = aws_api_gateway_resource.calculations.id
  http_method   = each.key
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "all" {
  for_each                = aws_api_gateway_method.all
  rest_api_id             = aws_api_gateway_rest_api.calculator.id
  resource_id             = aws_api_gateway_resource.calculations.id
  http_method             = each.value.http_method
  integration_http_method = "POST"
  type                    = "AWS_PROXY"
  uri                     = aws_lambda_function.calculator.invoke_arn
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.calculator.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.calculator.execution_arn}/*"
}

resource "aws_api_gateway_deployment" "prod" {
  rest_api_id = aws_api_gateway_rest_api.calculator.id
  depends_on  = [aws_api_gateway_integration.all]
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id   = aws_api_gateway_rest_api.calculator.id
  deployment_id = aws_api_gateway_deployment.prod.id
  stage_name    = "prod"
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
