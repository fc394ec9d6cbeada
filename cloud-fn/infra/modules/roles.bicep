// Who may do what to clips, queues, the host's own storage and the hub. Checked against roles.md by `scripts/test infra`.
param clipsName string
param hostStorageName string
param hubName string
param appPrincipalId string
param workerPrincipalId string
param hubPrincipalId string
param insightsName string

func builtIn(id string) string => subscriptionResourceId('Microsoft.Authorization/roleDefinitions', id)

var blobReader = builtIn('2a2b9908-6ea1-4ae2-8e65-a410df84e7d1')
var blobContributor = builtIn('ba92f5b4-2d11-453d-a403-e96b0029c9fe')
var blobOwner = builtIn('b7e6dc6d-f1e8-4753-8033-0f276bb0955b')
var queueContributor = builtIn('974c5e8b-45b9-4653-ba55-5f855dd0fb88')
var queueSender = builtIn('c6a89b2d-59bc-44d0-9896-0f6e12d7b80a')
var tableContributor = builtIn('0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3')
var hubContributor = builtIn('4fc6c259-987e-4a07-842e-c321cc9d413f')
var metricsPublisher = builtIn('3913510d-42f4-4e42-8a64-420c390055eb')

resource clips 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: clipsName

  resource blobs 'blobServices' existing = {
    name: 'default'
    resource videos 'containers' existing = { name: 'dacha-video' }
    resource frames 'containers' existing = { name: 'detected-dacha-video' }
    resource instances 'containers' existing = { name: 'dacha-instances' }
  }

  resource queues 'queueServices' existing = {
    name: 'default'
    resource toProcessing 'queues' existing = { name: 'video-to-processing' }
    resource processed 'queues' existing = { name: 'video-processed' }
    resource toProcessingPoison 'queues' existing = { name: 'video-to-processing-poison' }
    resource processedPoison 'queues' existing = { name: 'video-processed-poison' }
    resource notifications 'queues' existing = { name: 'notifications' }
  }
}

resource host 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: hostStorageName
}

resource hub 'Microsoft.Devices/IotHubs@2023-06-30' existing = {
  name: hubName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// The built-in roles that may write may also delete.
resource clipKeeper 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'dachawatch-clip-keeper')
  properties: {
    roleName: 'Dachawatch clip keeper (${resourceGroup().name})'
    description: 'Reads clips, writes verdicts and tags beside them, deletes nothing'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read']
        dataActions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/write'
        ]
      }
    ]
  }
}

// The built-in role for the data of a hub may read the keys of devices.
resource messenger 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'dachawatch-messenger')
  properties: {
    roleName: 'Dachawatch messenger (${resourceGroup().name})'
    description: 'Sends messages to devices, and cannot see their keys'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: []
        dataActions: ['Microsoft.Devices/IotHubs/cloudToDeviceMessages/send/action']
      }
    ]
  }
}

resource hubWritesClips 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::blobs::videos.id, hubPrincipalId, blobContributor)
  scope: clips::blobs::videos
  properties: {
    roleDefinitionId: blobContributor
    principalId: hubPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The hub makes addresses for single blobs, which devices write'
  }
}

resource appKeepsClips 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::blobs::videos.id, appPrincipalId, clipKeeper.id)
  scope: clips::blobs::videos
  properties: {
    roleDefinitionId: clipKeeper.id
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app stores verdicts beside clips and tags them'
  }
}

resource appReadsFrames 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::blobs::frames.id, appPrincipalId, blobReader)
  scope: clips::blobs::frames
  properties: {
    roleDefinitionId: blobReader
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app takes the best picture of a clip'
  }
}

resource appKeepsInstances 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::blobs::instances.id, appPrincipalId, blobContributor)
  scope: clips::blobs::instances
  properties: {
    roleDefinitionId: blobContributor
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app notes what it has begun, and takes notes away'
  }
}

resource appAsks 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::queues::toProcessing.id, appPrincipalId, queueSender)
  scope: clips::queues::toProcessing
  properties: {
    roleDefinitionId: queueSender
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app asks for an analysis'
  }
}

resource appTakesAnswers 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::queues::processed.id, appPrincipalId, queueContributor)
  scope: clips::queues::processed
  properties: {
    roleDefinitionId: queueContributor
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app takes the answers'
  }
}

resource appTakesPoisonOfRequests 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::queues::toProcessingPoison.id, appPrincipalId, queueContributor)
  scope: clips::queues::toProcessingPoison
  properties: {
    roleDefinitionId: queueContributor
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app records requests that nobody could use'
  }
}

resource appTakesPoisonOfAnswers 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::queues::processedPoison.id, appPrincipalId, queueContributor)
  scope: clips::queues::processedPoison
  properties: {
    roleDefinitionId: queueContributor
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app records answers that nobody could use'
  }
}

resource appNotifies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::queues::notifications.id, appPrincipalId, queueSender)
  scope: clips::queues::notifications
  properties: {
    roleDefinitionId: queueSender
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app notifies by queue'
  }
}

resource appHostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(host.id, appPrincipalId, blobOwner)
  scope: host
  properties: {
    roleDefinitionId: blobOwner
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The Functions host keeps its package, leases and large histories'
  }
}

resource appHostQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(host.id, appPrincipalId, queueContributor)
  scope: host
  properties: {
    roleDefinitionId: queueContributor
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'Durable Functions: its queues'
  }
}

resource appHostTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(host.id, appPrincipalId, tableContributor)
  scope: host
  properties: {
    roleDefinitionId: tableContributor
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'Durable Functions: its histories'
  }
}

resource appSendsMessages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, appPrincipalId, messenger.id)
  scope: hub
  properties: {
    roleDefinitionId: messenger.id
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app sends verdicts to devices'
  }
}

// The hub takes no keys, and an owner of the subscription has no right to its data.
resource operatorKeepsDevices 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, deployer().objectId, hubContributor)
  scope: hub
  properties: {
    roleDefinitionId: hubContributor
    principalId: deployer().objectId
    description: 'Who deploys makes devices known, and sets and asks them'
  }
}

resource appLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appPrincipalId, metricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: metricsPublisher
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app sends its logs'
  }
}

resource workerReadsClips 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::blobs::videos.id, workerPrincipalId, blobReader)
  scope: clips::blobs::videos
  properties: {
    roleDefinitionId: blobReader
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The worker reads clips'
  }
}

resource workerWritesFrames 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::blobs::frames.id, workerPrincipalId, blobContributor)
  scope: clips::blobs::frames
  properties: {
    roleDefinitionId: blobContributor
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The worker writes pictures of what it found'
  }
}

resource workerTakesRequests 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::queues::toProcessing.id, workerPrincipalId, queueContributor)
  scope: clips::queues::toProcessing
  properties: {
    roleDefinitionId: queueContributor
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The worker takes requests, and holds them while it works'
  }
}

resource workerAnswers 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::queues::processed.id, workerPrincipalId, queueSender)
  scope: clips::queues::processed
  properties: {
    roleDefinitionId: queueSender
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The worker answers'
  }
}

resource workerSetsAside 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::queues::toProcessingPoison.id, workerPrincipalId, queueSender)
  scope: clips::queues::toProcessingPoison
  properties: {
    roleDefinitionId: queueSender
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The worker sets aside what it cannot use'
  }
}
